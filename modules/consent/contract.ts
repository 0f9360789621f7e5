import { z } from 'zod'
import { route } from '../../lib/routes/routes.ts'

/** A short name that stays for ever: it is part of links in mails that were sent. */
export const TopicId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'small letters, digits and hyphens, at most 40')

export const Topic = z.object({
  id: TopicId,
  name: z.string(),
  description: z.string(),
  /** The words that people agree to. */
  wording: z.string(),
  /** Shown on the preference page. */
  listed: z.boolean(),
})
export type Topic = z.infer<typeof Topic>

export const ConsentState = z.enum(['granted', 'denied', 'withdrawn'])
export type ConsentState = z.infer<typeof ConsentState>

export const ConsentRecord = z.object({
  topic: z.string(),
  channel: z.string(),
  state: ConsentState,
  /** Why we may: consent · double_opt_in · existing_customer · own_choice (preference page or unsubscribe link). */
  basis: z.string(),
  source: z.string(),
  at: z.string(),
  recordedAt: z.string(),
  wording: z.string().nullable(),
  /** Where it stands: the message of a link, the confirmation, or the file and line that it was read from. */
  proof: z.string().nullable(),
})
export type ConsentRecord = z.infer<typeof ConsentRecord>

export const SuppressionReason = z.enum(['unsubscribed', 'bounced', 'complained', 'by hand'])
export type SuppressionReason = z.infer<typeof SuppressionReason>

/** A closed list, because the audit log holds no free text that could name somebody. */
export const LiftReason = z.enum(['the address works again', 'put here by mistake', 'the person asked us'])
export type LiftReason = z.infer<typeof LiftReason>

/** What holds for one address: its topics with the newest decision, what it must not get, and how it came to that. */
export const Standing = z.object({
  topics: z.array(
    Topic.extend({ state: ConsentState.nullable(), since: z.string().nullable(), mailable: z.boolean() }),
  ),
  suppressions: z.array(z.object({ scope: z.string(), reason: SuppressionReason, source: z.string(), at: z.string() })),
  records: z.array(ConsentRecord),
})
export type Standing = z.infer<typeof Standing>

/** A topic that events of a source named and that is none. The name '' stands for all beyond the first 50 of the source. */
export const UnknownTopic = z.object({
  sourceId: z.string(),
  topic: z.string(),
  name: z.string(),
  events: z.number().int(),
  lastAt: z.string(),
})
export type UnknownTopic = z.infer<typeof UnknownTopic>

const about = z.object({ email: z.string().min(3).max(254) })

export const routes = {
  topics: route({
    method: 'GET',
    path: '/api/topics',
    summary: 'The topics people can subscribe to, with how many addresses agreed to each.',
    allow: 'data.read',
    reply: z.array(Topic.extend({ granted: z.number().int(), withdrawn: z.number().int() })),
  }),
  unknownTopics: route({
    method: 'GET',
    path: '/api/topics/unknown',
    summary: 'Topics that events named and that are none: such consent is kept as an event, not as consent.',
    allow: 'data.read',
    reply: z.array(UnknownTopic),
  }),
  setTopic: route({
    method: 'PUT',
    path: '/api/topics/:id',
    summary: 'Make a topic, or change how it is described. Its short name stays.',
    allow: 'campaigns.write',
    params: z.object({ id: TopicId }),
    body: z.object({
      name: z.string().trim().min(1).max(80),
      description: z.string().trim().max(300),
      wording: z.string().trim().min(1).max(1000),
      listed: z.boolean(),
    }),
    reply: Topic,
  }),
  standing: route({
    method: 'GET',
    path: '/api/consent',
    summary: 'What one e-mail address agreed to, what it must not get, and the proof.',
    allow: 'data.read',
    query: about,
    reply: Standing,
  }),
  suppress: route({
    method: 'POST',
    path: '/api/suppressions',
    summary: 'Never mail this address again: everything, all marketing, or one topic.',
    allow: 'data.write',
    body: about.extend({ scope: z.union([z.literal('*'), z.literal('marketing'), TopicId]) }),
    reply: Standing,
  }),
  lift: route({
    method: 'POST',
    path: '/api/suppressions/lift',
    summary:
      'Take back a suppression that was made by hand or after a bounce. What a person chose, only that person takes back.',
    allow: 'data.write',
    body: about.extend({ scope: z.string().max(40), because: LiftReason }),
    reply: Standing,
  }),
}
