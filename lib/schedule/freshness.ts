import { z } from 'zod'
import { promiseMissed } from './schedule.ts'

/** How old what something brought is, and what was promised of it: “at most so many hours old”. */
export const Freshness = z.object({
  /** The moment, on the other side, that is here now; null before anything came. */
  freshAt: z.string().nullable(),
  promiseHours: z.number().int().nullable(),
  missed: z.boolean(),
})
export type Freshness = z.infer<typeof Freshness>

/** When something is brought: what people may set of it. */
export const When = z.object({
  /** Five fields of cron, in UTC; null: only by hand. */
  schedule: z.string().trim().max(100).nullable().optional(),
  promiseHours: z.number().int().min(1).max(8760).nullable().optional(),
  paused: z.boolean().optional(),
})

interface Promised {
  freshAt: Date | null
  /** Since when something is promised at all, for what never came. */
  createdAt: Date
  promiseHours: number | null
}

export const freshnessOf = (of: Promised, nowMs: number): Freshness => ({
  freshAt: of.freshAt?.toISOString() ?? null,
  promiseHours: of.promiseHours,
  missed: promiseMissed(of.freshAt, of.createdAt, of.promiseHours, nowMs),
})
