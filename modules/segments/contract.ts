import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'

export const SegmentId = idOf('segment')

const FieldName = z
  .string()
  .regex(/^[A-Za-z0-9_]{1,60}(\.[A-Za-z0-9_]{1,60}){0,3}$/, 'a field such as firstName or address.city')
const Value = z.union([z.string().max(500), z.number(), z.boolean()])

/** A question about one value. */
export const Test = z.discriminatedUnion('is', [
  z.object({ is: z.enum(['equal', 'not equal']), value: Value }),
  z.object({ is: z.enum(['contains', 'starts with']), value: z.string().min(1).max(500) }),
  z.object({ is: z.enum(['greater than', 'less than', 'at least', 'at most']), value: z.number() }),
  z.object({ is: z.literal('one of'), values: z.array(Value).min(1).max(200) }),
  z.object({ is: z.enum(['set', 'not set']) }),
  z.object({ is: z.enum(['in the last', 'not in the last']), days: z.number().int().min(1).max(3_650) }),
])
export type Test = z.infer<typeof Test>

/** When something happened, seen from now. */
export const Window = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ever') }),
  z.object({ kind: z.literal('last'), days: z.number().int().min(1).max(3_650) }),
  z.object({ kind: z.literal('between'), from: z.iso.date(), to: z.iso.date() }),
])
export type Window = z.infer<typeof Window>

const EventName = z.string().min(1).max(200)
const Where = z
  .array(z.object({ property: FieldName, test: Test }))
  .max(10)
  .default([])
export type Where = z.infer<typeof Where>

export const Condition = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('trait'), field: FieldName, test: Test }),
  z.object({
    kind: z.literal('event'),
    name: EventName,
    /** `did` with a count, or `did not` at all. */
    times: z.discriminatedUnion('is', [
      z.object({ is: z.literal('did not') }),
      z.object({ is: z.enum(['at least', 'at most', 'exactly']), count: z.number().int().min(0).max(10_000) }),
    ]),
    window: Window,
    where: Where,
  }),
  /** A number over what somebody did: what was spent in 90 days. Of nothing the sum is 0; there is no mean and no highest. */
  z.object({
    kind: z.literal('amount'),
    of: z.enum(['sum', 'mean', 'highest']),
    property: FieldName,
    name: EventName,
    is: z.enum(['at least', 'at most']),
    value: z.number(),
    window: Window,
    where: Where,
  }),
  /** One thing, and another after it within so many days. `but not`: the days are over and it did not come. The window is that of the first. */
  z.object({
    kind: z.literal('sequence'),
    first: EventName,
    second: EventName,
    did: z.enum(['and then', 'but not']),
    days: z.number().int().min(1).max(3_650),
    window: Window,
  }),
  /** When something happened for the first time, or the last. Whoever never did it is in neither. */
  z.object({
    kind: z.literal('moment'),
    which: z.enum(['first', 'last']),
    name: EventName,
    is: z.enum(['in the last', 'longer ago than']),
    days: z.number().int().min(1).max(3_650),
    where: Where,
  }),
  /** A share of everybody, drawn by lot and always the same for one `lot`. */
  z.object({
    kind: z.literal('sample'),
    percent: z.number().min(0.01).max(100),
    lot: z.string().trim().min(1).max(60),
  }),
  /** Whether a mail of this topic may go to the person's address now, as the sender would say: agreed, not taken back, not suppressed. */
  z.object({ kind: z.literal('consent'), topic: z.string().max(60), state: z.enum(['given', 'not given']) }),
])
export type Condition = z.infer<typeof Condition>

/** All or any of conditions and groups of conditions; two levels are enough to say anything that people say. */
const Group = z.object({
  match: z.enum(['all', 'any']),
  of: z.array(Condition).min(1).max(20),
  not: z.boolean().default(false),
})
export const SegmentDefinition = z.object({ match: z.enum(['all', 'any']), groups: z.array(Group).min(1).max(10) })
export type SegmentDefinition = z.infer<typeof SegmentDefinition>

export const Segment = z.object({
  id: SegmentId,
  name: z.string(),
  version: z.number().int(),
  definition: SegmentDefinition,
  says: z.string(),
  changedAt: z.string(),
  changedBy: z.string(),
  archived: z.boolean(),
})
export type Segment = z.infer<typeof Segment>

export const Size = z.object({ people: z.number().int(), of: z.number().int(), reachable: z.number().int() })
export type Size = z.infer<typeof Size>

/** Why one person is in a segment or is not: the definition with what holds of this person now. */
export const Why = z.object({
  inside: z.boolean(),
  match: z.enum(['all', 'any']),
  groups: z.array(
    z.object({
      match: z.enum(['all', 'any']),
      not: z.boolean(),
      /** After `not`. */
      holds: z.boolean(),
      of: z.array(
        z.object({
          says: z.string(),
          holds: z.boolean(),
          /** What there is to show for it, in words; `at`: when it happened last (or first, where that is asked). */
          found: z.string(),
          at: z.string().nullable(),
        }),
      ),
    }),
  ),
})
export type Why = z.infer<typeof Why>

/** How many people were in a segment, day by day (UTC); a day on which nobody looked is not there. */
export const History = z.object({
  days: z.array(
    z.object({ day: z.iso.date(), people: z.number().int(), entered: z.number().int(), gone: z.number().int() }),
  ),
  lookedAt: z.string().nullable(),
})
export type History = z.infer<typeof History>

const one = z.object({ id: SegmentId })
const Given = z.object({ name: z.string().trim().min(1).max(120), definition: SegmentDefinition })

export const routes = {
  list: route({
    method: 'GET',
    path: '/api/segments',
    summary: 'Segments.',
    allow: 'data.read',
    reply: z.array(Segment),
  }),
  get: route({
    method: 'GET',
    path: '/api/segments/:id',
    summary: 'One segment with its versions.',
    allow: 'data.read',
    params: one,
    reply: z.object({
      segment: Segment,
      versions: z.array(z.object({ version: z.number().int(), says: z.string(), at: z.string(), by: z.string() })),
    }),
  }),
  create: route({
    method: 'POST',
    path: '/api/segments',
    summary: 'Make a segment.',
    allow: 'campaigns.write',
    body: Given,
    reply: Segment,
  }),
  change: route({
    method: 'PUT',
    path: '/api/segments/:id',
    summary: 'Change a segment: a new version. Keys on what uses it fall out.',
    allow: 'campaigns.write',
    params: one,
    body: Given,
    reply: Segment,
  }),
  archive: route({
    method: 'POST',
    path: '/api/segments/:id/archive',
    summary: 'Put a segment away, or bring it back.',
    allow: 'campaigns.write',
    params: one,
    body: z.object({ archived: z.boolean() }),
    reply: Segment,
  }),
  preview: route({
    method: 'POST',
    path: '/api/segments/preview',
    summary: 'How many people a definition has now, some of them, and what it says.',
    allow: 'data.read',
    body: SegmentDefinition,
    reply: z.object({
      size: Size,
      sample: z.array(z.object({ id: idOf('profile'), name: z.string(), email: z.string().nullable() })),
      says: z.string(),
      milliseconds: z.number(),
    }),
  }),
  why: route({
    method: 'GET',
    path: '/api/segments/:id/people/:person',
    summary: 'Why one person is in a segment now, or is not.',
    allow: 'data.read',
    params: z.object({ id: SegmentId, person: idOf('profile') }),
    reply: z.object({ person: z.object({ id: idOf('profile'), name: z.string() }), why: Why }),
  }),
  history: route({
    method: 'GET',
    path: '/api/segments/:id/history',
    summary: 'How many people were in a segment, day by day, and how many came and went.',
    allow: 'data.read',
    params: one,
    reply: History,
  }),
  ofPerson: route({
    method: 'GET',
    path: '/api/people/:id/segments',
    summary: 'Every segment, and whether one person was in it when it was looked at last (every minute).',
    allow: 'data.read',
    params: z.object({ id: idOf('profile') }),
    reply: z.array(
      z.object({
        id: SegmentId,
        name: z.string(),
        says: z.string(),
        inside: z.boolean(),
        /** When they were first seen in it, of the time that they are in it now. */
        since: z.string().nullable(),
        /** When they came and went, newest first, at most ten. */
        changes: z.array(z.object({ at: z.string(), entered: z.boolean() })),
      }),
    ),
  }),
  catalogue: route({
    method: 'GET',
    path: '/api/segments/catalogue',
    summary: 'Events that occurred, with how often and which properties.',
    allow: 'data.read',
    reply: z.array(z.object({ name: z.string(), events: z.number().int(), properties: z.array(z.string()) })),
  }),
}
