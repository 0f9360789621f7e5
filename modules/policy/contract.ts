import { z } from 'zod'

/** 0 none/public · 1 pseudonymous or aggregates · 2 contact data · 3 contact joined with behaviour, purchases or a CRM export · 4 special category, children, payment, credentials. */
export const Level = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4)])
export type Level = z.infer<typeof Level>

/** A field that a change uses, with its sensitivity as the catalogue computed it. */
export const Field = z.object({ name: z.string(), label: z.string(), sensitivity: Level })
export type Field = z.infer<typeof Field>

/** With fewer people than this, a day of cooling off stands for the second key. */
export const smallCompany = 4

/** What is known of a change, computed from the thing itself and from what it reaches; never declared. */
export const Facts = z.object({
  /** People that it reaches, of all people known; undefined when it reaches nobody. */
  audience: z
    .object({
      people: z.number().int().min(0),
      of: z.number().int().min(0),
      /** What keys would cover, when that is more: it may grow so far without asking again, so it is judged as if it had. */
      atMost: z.number().int().min(0).optional(),
    })
    .optional(),
  fields: z.array(Field),
  /** 0 switched off in minutes · 1 a day · 2 a message went out · 3 data left the company · 4 deletes, merges or overwrites a system of record. */
  irreversibility: z.object({ level: Level, because: z.string() }),
  /** 0 none · 1 outbound webhook or sandboxed tag without personal data · 2 one-way API · 3 two-way, or writes to a system of record · 4 admin, SSO, production database, script on checkout or login. */
  integration: z.object({ level: Level, because: z.string() }),
  firstUse: z.array(z.string()),
  /** Enabled people who work here: with fewer than four the second key becomes a day of cooling off. */
  staff: z.number().int().min(0),
  /** The side of somebody who could give the one key of a small company: neither asked nor edited. */
  otherSide: z.enum(['marketing', 'it']).optional(),
})
export type Facts = z.infer<typeof Facts>

export const Lane = z.enum(['green', 'amber', 'red', 'emergency'])
export type Lane = z.infer<typeof Lane>
export const KeyKind = z.enum(['marketing', 'it', 'protection'])
export type KeyKind = z.infer<typeof KeyKind>

const Scale = z.object({ level: Level, because: z.string() })
export const Scales = z.object({ sensitivity: Scale, reach: Scale, irreversibility: Scale, integration: Scale })
export type Scales = z.infer<typeof Scales>

/** A change of the change that would come down a lane. */
export const Way = z.object({
  say: z.string(),
  lane: Lane,
  leaveOut: z.array(z.string()).optional(),
  atMost: z.number().int().optional(),
})
export type Way = z.infer<typeof Way>

export const Verdict = z.object({
  lane: Lane,
  scales: Scales,
  keys: z.array(KeyKind),
  /** Hours of cooling off in place of the second key (small-company mode). */
  coolingOffHours: z.number().int(),
  /** The rule that decided, for the record. */
  rule: z.string(),
  /** The sentence that people read. */
  because: z.string(),
  /** What was promised: working days until an answer. */
  promiseWorkingDays: z.number().int(),
  ways: z.array(Way),
})
export type Verdict = z.infer<typeof Verdict>
