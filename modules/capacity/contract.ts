import { z } from 'zod'
import { route } from '../../lib/routes/routes.ts'

/** What a measurement found: events a second that the door acknowledged, each on disk. */
export const Measurement = z.object({
  at: z.string(),
  by: z.string(),
  cores: z.number().int(),
  model: z.string(),
  /** One event a request. */
  perSecond: z.number(),
  p99Ms: z.number(),
  /** 100 events a request. */
  batchPerSecond: z.number(),
  flushesPerSecond: z.number(),
  /** The smallest durable write. */
  flushMs: z.number(),
  /** Why it should be measured again; null while it holds. */
  stale: z.string().nullable(),
})
export type Measurement = z.infer<typeof Measurement>

/** What is expected of an audience while nothing is measured: shares of the people (1 is everyone once), and events on the site for each click. */
export const Assumptions = z.object({
  opened: z.number().min(0).max(5),
  clicked: z.number().min(0).max(5),
  pagesPerClick: z.number().min(0).max(200),
})
export type Assumptions = z.infer<typeof Assumptions>

/** A campaign that is planned or going out, and what it brings. */
export const Planned = z.object({
  id: z.string(),
  name: z.string(),
  /** When its mails leave or began to; null when nobody set a time. */
  at: z.string().nullable(),
  people: z.number().int(),
  /** Events for each person of the audience. */
  sent: z.number(),
  opened: z.number(),
  clicked: z.number(),
  pages: z.number(),
  /** Where these come from, as the end of “The response is …”. */
  says: z.string(),
  /** The most that it brings by itself, events a second. */
  perSecond: z.number(),
  /** Whether it is in the sum; if not, why. */
  counted: z.boolean(),
  because: z.string().nullable(),
})
export type Planned = z.infer<typeof Planned>

/** More comes than the machine takes. */
export const Warning = z.object({
  campaignId: z.string().nullable(),
  at: z.string(),
  perSecond: z.number(),
  limit: z.number(),
  sentence: z.string(),
  /** What would pass, each as a sentence. */
  passes: z.array(z.string()),
})
export type Warning = z.infer<typeof Warning>

export const CapacityPage = z.object({
  /** The verdict. */
  sentence: z.string(),
  measured: Measurement.nullable(),
  /** While one is under way: since when, what is done, which share of it is over (0 … 1). */
  measuring: z.object({ since: z.string(), by: z.string(), says: z.string(), share: z.number() }).nullable(),
  /** Why the last one ended without a result; null when it had one. */
  failed: z.string().nullable(),
  now: z.object({
    perSecond: z.number(),
    /** The hour with the most in the last 28 days. */
    peak: z.object({ hour: z.string(), events: z.number().int(), perSecond: z.number() }).nullable(),
    /** The fastest that was really stored since the server started. */
    storing: z.object({ perSecond: z.number(), at: z.string() }).nullable(),
  }),
  assumed: Assumptions,
  /** Who changed them last; null while they are ours. */
  assumedBy: z.object({ by: z.string(), at: z.string() }).nullable(),
  curve: z.object({
    measured: z.boolean(),
    /** Opens and clicks that were looked at. */
    responses: z.number().int(),
    /** Which share comes within the first hour, and within six. */
    firstHour: z.number(),
    sixHours: z.number(),
  }),
  /** Mails a second, measured on the fastest earlier campaign; null when none tells. */
  mailsPerSecond: z.number().nullable(),
  campaigns: z.array(Planned),
  /** The hours to come, each as its fullest ten minutes, in events a second. */
  hours: z.array(
    z.object({
      hour: z.string(),
      base: z.number(),
      campaigns: z.number(),
      /** Names of the campaigns that bring it, the most first. */
      from: z.array(z.string()),
    }),
  ),
  warning: Warning.nullable(),
})
export type CapacityPage = z.infer<typeof CapacityPage>

export const routes = {
  page: route({
    method: 'GET',
    path: '/api/capacity',
    summary: 'What this machine takes, what comes now, and what planned campaigns will bring in the next seven days.',
    allow: 'data.read',
    reply: CapacityPage,
  }),
  measure: route({
    method: 'POST',
    path: '/api/capacity/measurement',
    summary:
      'Measures what this machine takes, in about ten seconds, on a scratch journal. Nothing of it is an event of yours.',
    allow: 'admin',
    reply: CapacityPage,
  }),
  cancel: route({
    method: 'DELETE',
    path: '/api/capacity/measurement',
    summary: 'Ends the measurement that is under way. The last result stays.',
    allow: 'admin',
    reply: CapacityPage,
  }),
  assume: route({
    method: 'PUT',
    path: '/api/capacity/assumptions',
    summary: 'Says what is expected of an audience while no earlier campaign tells.',
    allow: 'campaigns.write',
    body: Assumptions,
    reply: CapacityPage,
  }),
}
