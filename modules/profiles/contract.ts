import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'

export const ProfileId = idOf('profile')

/** A field that occurs on people, with what it is called, what it holds and how sensitive it is (policy's scale S). */
export const Field = z.object({
  name: z.string(),
  label: z.string(),
  type: z.enum(['text', 'number', 'date', 'boolean', 'other']),
  sensitivity: z.number().int(),
  samples: z.array(z.string()),
})
export type Field = z.infer<typeof Field>

export const PersonRow = z.object({
  id: ProfileId,
  name: z.string(),
  email: z.string().nullable(),
  phone: z.string().nullable(),
  country: z.string().nullable(),
  lastSeenAt: z.string(),
})
export type PersonRow = z.infer<typeof PersonRow>

export const Trait = z.object({
  name: z.string(),
  label: z.string(),
  value: z.unknown(),
  at: z.string(),
  sourceId: z.string(),
  sourceName: z.string(),
  sensitivity: z.number().int(),
  others: z.number().int(),
})
export const Person = z.object({
  id: ProfileId,
  name: z.string(),
  email: z.string().nullable(),
  phone: z.string().nullable(),
  timeZone: z.string().nullable(),
  locale: z.string().nullable(),
  firstSeenAt: z.string(),
  lastSeenAt: z.string(),
  traits: z.array(Trait),
})
export type Person = z.infer<typeof Person>

export const TimelineEvent = z.object({
  time: z.string(),
  type: z.string(),
  name: z.string(),
  sourceId: z.string(),
  sourceName: z.string(),
  messageId: z.string(),
  properties: z.record(z.string(), z.unknown()),
})
export type TimelineEvent = z.infer<typeof TimelineEvent>

const one = z.object({ id: ProfileId })
export const routes = {
  list: route({
    method: 'GET',
    path: '/api/people',
    summary: 'People, who was seen last first; search by name, e-mail address, telephone or any identifier.',
    allow: 'data.read',
    query: z.object({ search: z.string().max(200).default(''), after: z.string().max(80).optional() }),
    reply: z.object({ people: z.array(PersonRow), next: z.string().nullable(), total: z.number().int() }),
  }),
  byIdentifier: route({
    method: 'GET',
    path: '/api/people/by',
    summary:
      'The person whom an identifier belongs to now: a user id, an e-mail address, a telephone number, a device, or a customer number.',
    allow: 'data.read',
    query: z.object({ type: z.string().min(1).max(60), value: z.string().min(1).max(1_024) }),
    reply: Person,
  }),
  get: route({
    method: 'GET',
    path: '/api/people/:id',
    summary: 'One person with traits, where each comes from and since when.',
    allow: 'data.read',
    params: one,
    reply: Person,
  }),
  timeline: route({
    method: 'GET',
    path: '/api/people/:id/timeline',
    summary: 'What one person did, over all sources, newest first.',
    allow: 'data.read',
    params: one,
    query: z.object({ before: z.iso.datetime().optional() }),
    reply: z.object({ events: z.array(TimelineEvent), next: z.string().nullable() }),
  }),
  fields: route({
    method: 'GET',
    path: '/api/fields',
    summary: 'Fields that occur on people.',
    allow: 'data.read',
    reply: z.array(Field),
  }),
}
