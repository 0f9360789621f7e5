import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'

const one = z.object({ id: idOf('broadcast') })

/** A number with how it is counted, in one plain sentence. */
export const Figure = z.object({
  key: z.string(),
  label: z.string(),
  value: z.number(),
  unit: z.enum(['people', 'mails', 'orders', 'money', 'clicks']),
  currency: z.string().nullable(),
  /** Of what the share is taken, and the share (0 … 1); null where a share says nothing. */
  of: z.object({ label: z.string(), share: z.number() }).nullable(),
  means: z.string(),
})
export type Figure = z.infer<typeof Figure>

export const Report = z.object({
  broadcastId: z.string(),
  name: z.string(),
  sentence: z.string(),
  windowDays: z.number().int(),
  /** Audience = sum of these, or the residue is shown. */
  ledger: z.array(z.object({ state: z.string(), label: z.string(), means: z.string(), count: z.number().int() })),
  audience: z.number().int(),
  unaccounted: z.number().int(),
  figures: z.array(Figure),
  links: z.array(z.object({ link: z.string(), clicks: z.number().int(), people: z.number().int() })),
  /** Hour by hour after the first mail. */
  hours: z.array(z.object({ hour: z.number().int(), opened: z.number().int(), clicked: z.number().int() })),
})
export type Report = z.infer<typeof Report>

/** One broadcast that went out, in the list of reports. */
export const ReportRow = z.object({
  id: z.string(),
  name: z.string(),
  launchedAt: z.string(),
  audience: z.number().int(),
  accepted: z.number().int(),
  opened: z.number().int(),
  clicked: z.number().int(),
  unsubscribed: z.number().int(),
})
export type ReportRow = z.infer<typeof ReportRow>

export const routes = {
  reports: route({
    method: 'GET',
    path: '/api/insights/broadcasts',
    summary: 'Every broadcast that went out, newest first, with what came back.',
    allow: 'data.read',
    reply: z.array(ReportRow),
  }),
  report: route({
    method: 'GET',
    path: '/api/insights/broadcasts/:id',
    summary: 'What became of a broadcast: ledger, opens, clicks, unsubscribes, orders, each with how it is counted.',
    allow: 'data.read',
    params: one,
    reply: Report,
  }),
  csv: route({
    method: 'GET',
    path: '/api/insights/broadcasts/:id/people.csv',
    summary:
      'One line for each member of the audience: what became of the mail, and what came back (CSV). It takes addresses and behaviour out, so it needs more than reading, and is audited.',
    allow: 'campaigns.write',
    params: one,
    reply: z.any(),
  }),
}
