import { isbot } from 'isbot'

/** The message that an event is about. */
export interface About {
  id: string
  broadcast_id: string
  profile_id: string
  /** Where it went; empty when there was none. */
  address: string
}

/**
 * What happens to messages is told as events of Interlock's own source, so segments, timelines and reports read one store. The message id of
 * each is made from what it tells, so telling it twice stores it once.
 */
export function messageEvent(
  name:
    | 'Message Sent'
    | 'Message Bounced'
    | 'Message Failed'
    | 'Message Opened'
    | 'Message Clicked'
    | 'Message Unsubscribed',
  about: About,
  at: Date,
  more: { key?: string; properties?: Record<string, string | number | boolean | null> } = {},
): object {
  return {
    type: 'track',
    event: name,
    messageId: `${name.replace('Message ', '').toLowerCase()}:${about.id}${more.key === undefined ? '' : `:${more.key}`}`,
    timestamp: at.toISOString(),
    context: {
      externalIds: [
        { type: 'profile', id: about.profile_id },
        // What was sent to an address stays with the address, should its person turn out to be two.
        ...(about.address === '' ? [] : [{ type: 'email', id: about.address }]),
      ],
    },
    properties: { broadcastId: about.broadcast_id, message: about.id, channel: 'email', ...more.properties },
  }
}

/**
 * Whether a machine and not a person asked for the picture or the link: a known robot or link scanner (isbot's list), no name at all, or the bare
 * `Mozilla/5.0` that Apple's Mail Privacy Protection sends when it loads every picture of every mail.
 */
export function isMachine(userAgent: string | undefined, method: string): boolean {
  const agent = (userAgent ?? '').trim()
  return method === 'HEAD' || agent === '' || agent === 'Mozilla/5.0' || isbot(agent)
}
