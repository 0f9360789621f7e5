import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'

export const BroadcastId = idOf('broadcast')

export const BroadcastState = z.enum(['draft', 'live', 'paused', 'halted', 'done'])
export type BroadcastState = z.infer<typeof BroadcastState>

/** What can become of one intended message. `planned` and `claimed` are on the way; all others are ends. */
export const MessageState = z.enum([
  'planned',
  'claimed',
  'accepted',
  'rejected',
  'unknown',
  'suppressed',
  'no_consent',
  'no_address',
  'same_address',
  'render_failed',
  'refused',
  'cancelled',
])
export type MessageState = z.infer<typeof MessageState>

/** Each state in one plain sentence, for every page that shows a count of it. */
export const messageStates: Readonly<Record<MessageState, { label: string; means: string }>> = {
  planned: { label: 'Waiting', means: 'Planned; consent, suppression and keys are asked again when it is its turn.' },
  claimed: { label: 'Being sent', means: 'In the hands of a connection to the mail server now.' },
  accepted: { label: 'Accepted', means: 'The mail server said 250: it took the mail.' },
  rejected: { label: 'Rejected', means: 'The mail server refused for good, or did not take it in five tries.' },
  unknown: {
    label: 'Unknown',
    means: 'The connection was lost after the last byte and before the answer. It is not sent again.',
  },
  suppressed: {
    label: 'Suppressed',
    means: 'The address must not be mailed: it unsubscribed, bounced or was put on the list.',
  },
  no_consent: { label: 'No consent', means: 'Nobody agreed to this topic for this address.' },
  no_address: { label: 'No address', means: 'We know no e-mail address of this person.' },
  same_address: { label: 'Same address', means: 'Another person of the audience has this address; it gets one mail.' },
  render_failed: { label: 'Not made', means: 'The template failed for this person; the others got theirs.' },
  refused: { label: 'Refused', means: 'The row was not written by planning, so nothing was sent.' },
  cancelled: { label: 'Cancelled', means: 'No longer part of the audience when it was planned again.' },
}

const Ref = z.object({ id: z.string(), name: z.string() })
export const Counts = z.partialRecord(MessageState, z.number().int())
export type Counts = z.infer<typeof Counts>

export const Broadcast = z.object({
  id: BroadcastId,
  name: z.string(),
  template: Ref,
  segment: Ref,
  sender: Ref,
  topic: Ref,
  sendAt: z.string().nullable(),
  version: z.number().int(),
  state: BroadcastState,
  /** What happens now, in one sentence. */
  sentence: z.string(),
  because: z.string().nullable(),
  audience: z.number().int().nullable(),
  counts: Counts,
  releaseHash: z.string().nullable(),
  launchedAt: z.string().nullable(),
  plannedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  changedAt: z.string(),
  changedBy: z.string(),
})
export type Broadcast = z.infer<typeof Broadcast>

export const NewBroadcast = z.object({
  name: z.string().trim().min(1).max(120),
  templateId: idOf('template'),
  segmentId: idOf('segment'),
  senderId: idOf('sender'),
  topicId: z.string().max(40),
  sendAt: z.iso.datetime().nullable().default(null),
})

export const Message = z.object({
  id: z.string(),
  profileId: z.string(),
  name: z.string(),
  address: z.string().nullable(),
  state: MessageState,
  attempt: z.number().int(),
  nextAt: z.string().nullable(),
  smtp: z.string().nullable(),
  reason: z.string().nullable(),
  at: z.string(),
})
export type Message = z.infer<typeof Message>

const one = z.object({ id: BroadcastId })
export const routes = {
  list: route({
    method: 'GET',
    path: '/api/broadcasts',
    summary: 'Broadcasts, newest first.',
    allow: 'data.read',
    reply: z.array(Broadcast),
  }),
  get: route({
    method: 'GET',
    path: '/api/broadcasts/:id',
    summary: 'One broadcast with the counts of its messages.',
    allow: 'data.read',
    params: one,
    reply: Broadcast,
  }),
  create: route({
    method: 'POST',
    path: '/api/broadcasts',
    summary: 'Make a broadcast. It sends nothing until a request for it has its keys.',
    allow: 'campaigns.write',
    body: NewBroadcast,
    reply: Broadcast,
  }),
  change: route({
    method: 'PUT',
    path: '/api/broadcasts/:id',
    summary: 'Change a broadcast that is not live. Keys on it fall out.',
    allow: 'campaigns.write',
    params: one,
    body: NewBroadcast,
    reply: Broadcast,
  }),
  pause: route({
    method: 'POST',
    path: '/api/broadcasts/:id/pause',
    summary: 'Stop sending. Either side may, alone.',
    allow: 'requests.talk',
    params: one,
    reply: Broadcast,
  }),
  resume: route({
    method: 'POST',
    path: '/api/broadcasts/:id/resume',
    summary: 'Go on sending what was agreed.',
    allow: 'campaigns.write',
    params: one,
    reply: Broadcast,
  }),
  messages: route({
    method: 'GET',
    path: '/api/broadcasts/:id/messages',
    summary: 'The ledger: what became of each intended message.',
    allow: 'data.read',
    params: one,
    query: z.object({ state: MessageState.optional(), after: z.string().max(60).optional() }),
    reply: z.object({ messages: z.array(Message), next: z.string().nullable() }),
  }),
}
