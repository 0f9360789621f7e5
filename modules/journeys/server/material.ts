import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import { dkimHeader } from '../../../platform/mail/dkim.ts'
import { buildMime, writeHeaders } from '../../../platform/mail/mime.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Channels } from '../../channels/server/index.ts'
import type { Topic } from '../../consent/contract.ts'
import type { Consent } from '../../consent/server/index.ts'
import { renderer, type Content, type Message } from '../../content/server/index.ts'
import type { Segments } from '../../segments/server/index.ts'
import type { TrackingLinks } from './links.ts'
import type { BroadcastRow } from './store.ts'

/** Where a broadcast's parts come from. */
export interface Parts {
  content: Pick<Content, 'version'>
  segments: Pick<Segments, 'version'>
  channels: Pick<Channels, 'sender' | 'route'>
  consent: Pick<Consent, 'topics' | 'unsubscribeUrl'>
}

/** All that a broadcast refers to, as it is within one transaction. @throws Refusal('not_now') naming what is gone */
export async function materialOf(tx: Postgres, parts: Parts, row: BroadcastRow) {
  // One after the other: a transaction is one connection.
  const template = await parts.content.version(tx, row.template_id)
  const segment = await parts.segments.version(tx, row.segment_id)
  const sender = await parts.channels.sender(tx, row.sender_id)
  const route = await parts.channels.route(tx)
  const topics = await parts.consent.topics(tx)
  const topic = topics.find((one) => one.id === row.topic_id)
  const gone = (what: string) => new Refusal('not_now', `The ${what} of “${row.name}” is gone. Choose another.`)
  if (template === undefined) throw gone('template')
  if (segment === undefined) throw gone('segment')
  if (sender === undefined) throw gone('sender')
  if (topic === undefined) throw gone('topic')
  return { row, template, segment, sender, route, topic }
}
export type Material = Awaited<ReturnType<typeof materialOf>>

/** Writes mails of one release: the template is parsed once. */
export function writerOf(
  of: Pick<Material, 'template' | 'sender'> & { topic: Topic; broadcastId: string },
  needs: { clock: Clock; links: TrackingLinks; consent: Pick<Consent, 'unsubscribeUrl'> },
) {
  const render = renderer(of.template.compiled)
  const { sender, topic } = of
  /** @throws RenderFailure, or Refusal('bad_input') for an address that no mail can go to */
  return function write(message: {
    id: string
    address: string
    addressKey: string
    name: string
    traits: Record<string, unknown>
  }): { data: string; rendered: Message } {
    const unsubscribe = needs.consent.unsubscribeUrl({
      message: message.id,
      addressKey: message.addressKey,
      topic: topic.id,
    })
    const rendered = render({
      person: message.traits,
      topic: { name: topic.name },
      unsubscribe,
      track: (href) => needs.links.click(message.id, href),
      pixel: needs.links.open(message.id),
    })
    const at = needs.clock.ms()
    const { headers, body } = buildMime({
      messageId: `${message.id}@${sender.domain}`,
      atMs: at,
      from: sender,
      to: { name: message.name, address: message.address },
      subject: rendered.subject,
      text: rendered.text,
      html: rendered.html,
      unsubscribeUrl: unsubscribe,
      listId: { name: topic.name, id: `${topic.id}.${sender.domain}` },
      feedbackId: `${of.broadcastId}:${topic.id}:mail:interlock`,
    })
    return { data: `${dkimHeader(sender.key, headers, body, at)}\r\n${writeHeaders(headers)}\r\n${body}`, rendered }
  }
}
