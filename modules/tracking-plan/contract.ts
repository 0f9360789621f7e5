import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'
import { EventType } from '../collect/contract.ts'

export const SourceId = idOf('source')

/** What is done with an event that violates the plan. The sentence is what people read beside the choice. */
export const modes = {
  observe: 'Every event is stored as it came; violations are only written down.',
  omit: 'Properties that are not planned or not valid are left out before the event is stored; the event itself always stays.',
  quarantine:
    'An event that violates the plan is put aside, and can be replayed when the plan or the event is corrected.',
  block: 'An event that violates the plan is counted as rejected and not kept. It cannot be brought back.',
} as const
export const Mode = z.enum(['observe', 'omit', 'quarantine', 'block'])
export type Mode = z.infer<typeof Mode>
/** From mild to strict: a stricter mode is shown against last week's events before it is chosen. */
export const strictness: Readonly<Record<Mode, number>> = { observe: 0, omit: 1, quarantine: 2, block: 3 }

/** What a property may hold. No patterns: a regular expression that a person wrote could hold up every event behind it. */
export const propertyTypes = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  time: 'a day or an instant (ISO 8601)',
  email: 'an e-mail address',
  currency: 'a currency (three capital letters, ISO 4217)',
  url: 'an address on the web (http or https)',
  array: 'a list',
  object: 'an object',
} as const
export const PropertyType = z.enum([
  'string',
  'integer',
  'number',
  'boolean',
  'time',
  'email',
  'currency',
  'url',
  'array',
  'object',
])
export type PropertyType = z.infer<typeof PropertyType>

/** What was wrong: a closed list. */
export const rules = {
  unplanned_event: 'The event is not in the plan.',
  deprecated_event: 'The event is deprecated. It is taken all the same, in every mode.',
  unplanned_property: 'The property is not in the plan.',
  missing_property: 'A required property is missing (null counts as missing).',
  wrong_type: 'The property is of another type than planned.',
  not_in_values: 'The value is none of those that are planned.',
  out_of_range: 'The value is too small, too large, too short or too long.',
} as const
export const Rule = z.enum([
  'unplanned_event',
  'deprecated_event',
  'unplanned_property',
  'missing_property',
  'wrong_type',
  'not_in_values',
  'out_of_range',
])
export type Rule = z.infer<typeof Rule>

const Words = z.string().trim().max(1000)

export const PlannedProperty = z
  .strictObject({
    /** A path: `total`, `address.city`. */
    name: z
      .string()
      .regex(/^[^.\s][^.]{0,99}(?:\.[^.]{1,100}){0,9}$/, 'a name such as total or address.city')
      .refine((name) => name.trim() === name, 'a name without spaces around it'),
    type: PropertyType,
    required: z.boolean().default(false),
    /** The only values there are; for text. */
    values: z.array(z.string().min(1).max(200)).min(1).max(200).optional(),
    /** Of a number its value, of text its length, of a list its length. */
    min: z.number().optional(),
    max: z.number().optional(),
    meaning: Words.default(''),
    /** 0 nothing personal … 4 special category, children, payment. */
    sensitivity: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4)]).default(1),
    /** What the company uses it for. */
    purpose: Words.default(''),
  })
  .superRefine((property, context) => {
    const say = (path: string, message: string) => {
      context.addIssue({ code: 'custom', path: [path], message })
    }
    if (property.values !== undefined && property.type !== 'string') say('values', 'only text has a list of values')
    if (!['string', 'integer', 'number', 'array'].includes(property.type)) {
      if (property.min !== undefined) say('min', `${propertyTypes[property.type]} has no least value`)
      if (property.max !== undefined) say('max', `${propertyTypes[property.type]} has no greatest value`)
    }
    if (property.min !== undefined && property.max !== undefined && property.min > property.max)
      say('max', 'at least as large as the least value')
    if (property.type === 'string' || property.type === 'array')
      for (const side of ['min', 'max'] as const) {
        const length = property[side]
        if (length !== undefined && (length < 0 || !Number.isInteger(length))) say(side, 'a length: 0, 1, 2, …')
      }
  })
export type PlannedProperty = z.output<typeof PlannedProperty>

/** A kind of call that has no name of its own is planned once, under the name ''. */
export const hasName = (type: EventType): boolean => type === 'track' || type === 'page' || type === 'screen'

export const PlannedEvent = z
  .strictObject({
    type: EventType,
    /** track: the event; page and screen: the page, '' for every page that is not planned by name; else ''. */
    name: z.string().trim().max(200).default(''),
    status: z.enum(['planned', 'deprecated']).default('planned'),
    description: Words.default(''),
    /** Instead of the mode of the plan. */
    mode: Mode.optional(),
    /** Of an identify or group call these are its traits. */
    properties: z.array(PlannedProperty).max(500).default([]),
  })
  .superRefine((event, context) => {
    if (event.type === 'track' && event.name === '')
      context.addIssue({ code: 'custom', path: ['name'], message: 'the name of the event' })
    if (!hasName(event.type) && event.name !== '')
      context.addIssue({ code: 'custom', path: ['name'], message: `a call of type ${event.type} has no name` })
    const seen = new Set<string>()
    for (const [at, { name }] of event.properties.entries()) {
      if (seen.has(name))
        context.addIssue({ code: 'custom', path: ['properties', at, 'name'], message: `${name} is planned twice` })
      seen.add(name)
    }
  })
export type PlannedEvent = z.output<typeof PlannedEvent>

const AccountId = idOf('account')

/** The data contract of a source, as people write it. */
export const PlanContent = z
  .strictObject({
    mode: Mode.default('observe'),
    unplannedEvents: z.enum(['allowed', 'violation']).default('violation'),
    unplannedProperties: z.enum(['allowed', 'violation']).default('violation'),
    /** Who answers for it, on both sides. */
    ownerMarketing: AccountId.nullable().default(null),
    ownerIt: AccountId.nullable().default(null),
    events: z.array(PlannedEvent).max(1000).default([]),
  })
  .superRefine((plan, context) => {
    const seen = new Set<string>()
    for (const [at, event] of plan.events.entries()) {
      const key = keyOf(event)
      if (seen.has(key))
        context.addIssue({
          code: 'custom',
          path: ['events', at, 'name'],
          message: `${labelOfEvent(event)} is planned twice`,
        })
      seen.add(key)
    }
  })
export type PlanContent = z.output<typeof PlanContent>

export const keyOf = (event: { type: string; name: string }): string => `${event.type} ${event.name}`
/** `Order Completed`, `page Checkout`, `every page`, `identify`. */
export function labelOfEvent({ type, name }: { type: string; name: string }): string {
  if (type === 'track') return name
  if (name !== '') return `${type} ${name}`
  return type === 'page' || type === 'screen' ? `every ${type}` : type
}

/** A saved version. Versions are never changed. */
export const Plan = z.object({
  sourceId: SourceId,
  version: z.number().int(),
  content: z.custom<PlanContent>((value) => typeof value === 'object' && value !== null),
  note: z.string(),
  savedAt: z.string(),
  savedBy: z.string(),
})
export type Plan = z.infer<typeof Plan>

/** A property as it arrived. */
const SeenProperty = z.object({
  name: z.string(),
  type: PropertyType,
  /** Of the events of this name, how many had it. */
  events: z.number(),
  samples: z.array(z.string()),
  sensitivity: z.number(),
  /** As it stands in the plan; null when it is not planned. */
  planned: z.enum(['yes', 'other-type', 'no']),
})
export const SeenEvent = z.object({
  type: EventType,
  name: z.string(),
  events: z.number(),
  firstAt: z.string(),
  lastAt: z.string(),
  planned: z.boolean(),
  properties: z.array(SeenProperty),
})
export type SeenEvent = z.infer<typeof SeenEvent>

/** What a plan would have done to the events that came lately. */
export const Judged = z.object({
  /** Events of the last seven days, and how many of them (the newest) were looked at. */
  events: z.number(),
  looked: z.number(),
  /** Would have come through untouched. */
  clean: z.number(),
  noted: z.number(),
  omitted: z.number(),
  quarantined: z.number(),
  blocked: z.number(),
  worst: z.array(z.object({ event: z.string(), property: z.string(), rule: Rule, events: z.number() })),
})
export type Judged = z.infer<typeof Judged>

export const Violation = z.object({
  type: EventType,
  name: z.string(),
  property: z.string(),
  rule: z.string(),
  events: z.number(),
  firstAt: z.string(),
  lastAt: z.string(),
  samples: z.array(z.string()),
  /** Which library sent it, oldest first: with its versions one sees since when. */
  libraries: z.array(z.object({ name: z.string(), version: z.string(), events: z.number(), firstAt: z.string() })),
  /** Per step of the period, oldest first. */
  overTime: z.array(z.number()),
})
export type Violation = z.infer<typeof Violation>

const one = z.object({ sourceId: SourceId })

export const routes = {
  list: route({
    method: 'GET',
    path: '/api/tracking-plans',
    summary: 'The plan of every source that has one, in its present version.',
    allow: 'data.read',
    reply: z.object({ plans: z.array(Plan) }),
  }),
  get: route({
    method: 'GET',
    path: '/api/tracking-plans/:sourceId',
    summary: 'The plan of a source (null when it has none), and its earlier versions.',
    allow: 'data.read',
    params: one,
    reply: z.object({
      plan: Plan.nullable(),
      owners: z.record(z.string(), z.string()),
      versions: z.array(Plan.omit({ content: true, sourceId: true }).extend({ events: z.number() })),
    }),
  }),
  version: route({
    method: 'GET',
    path: '/api/tracking-plans/:sourceId/versions/:version',
    summary: 'An earlier version of a plan.',
    allow: 'data.read',
    params: one.extend({ version: z.coerce.number().int().positive() }),
    reply: Plan,
  }),
  save: route({
    method: 'PUT',
    path: '/api/tracking-plans/:sourceId',
    summary: 'Saves a plan as a new version. It is in force within five seconds.',
    allow: 'data.write',
    params: one,
    body: z.object({
      content: PlanContent,
      /** The version that was edited; 0 for the first. Another in between is a conflict, not overwritten. */
      basedOn: z.number().int().min(0),
      note: z.string().trim().max(300).default(''),
    }),
    reply: Plan,
  }),
  seen: route({
    method: 'GET',
    path: '/api/tracking-plans/:sourceId/seen',
    summary:
      'What arrived in the last 30 days: events, their properties with types, shares and samples, beside the plan.',
    allow: 'data.read',
    params: one,
    reply: z.object({ seen: z.array(SeenEvent), days: z.number() }),
  }),
  adopt: route({
    method: 'POST',
    path: '/api/tracking-plans/:sourceId/adopt',
    summary: 'Takes into the plan what arrived: these events, or all of them.',
    allow: 'data.write',
    params: one,
    body: z.object({
      events: z.union([z.literal('all'), z.array(z.object({ type: EventType, name: z.string() })).max(1000)]),
    }),
    reply: Plan,
  }),
  judge: route({
    method: 'POST',
    path: '/api/tracking-plans/:sourceId/judge',
    summary: 'What this plan would have done to the events of the last seven days. Changes nothing.',
    allow: 'data.read',
    params: one,
    body: z.object({ content: PlanContent }),
    reply: Judged,
  }),
  violations: route({
    method: 'GET',
    path: '/api/tracking-plans/:sourceId/violations',
    summary: 'Violations by event and property: how many, over time, samples, and which library versions sent them.',
    allow: 'data.read',
    params: one,
    query: z.object({ period: z.enum(['hour', 'day', 'week', 'quarter']).default('day') }),
    reply: z.object({
      from: z.string(),
      stepSeconds: z.number(),
      steps: z.number(),
      events: z.number(),
      violations: z.array(Violation),
    }),
  }),
  client: route({
    method: 'GET',
    path: '/api/tracking-plans/:sourceId/client',
    summary: 'A typed TypeScript client, made from the plan.',
    allow: 'data.read',
    params: one,
    reply: z.object({ fileName: z.string(), text: z.string() }),
  }),
}
