import { z } from 'zod'
import { route } from '../../lib/routes/routes.ts'
import { Lane } from '../policy/contract.ts'

/** Something that waits for somebody: what, in one sentence, and where to do it. */
export const Task = z.object({
  key: z.string(),
  title: z.string(),
  sentence: z.string(),
  href: z.string(),
  act: z.string(),
  lane: Lane.nullable(),
  since: z.string().nullable(),
})
export type Task = z.infer<typeof Task>

export const Number = z.object({
  key: z.string(),
  label: z.string(),
  value: z.number(),
  means: z.string(),
  href: z.string(),
})

export const Cockpit = z.object({
  needsYou: z.array(Task),
  waitsForOthers: z.array(Task),
  numbers: z.array(Number),
  /** Events of each of the last 14 days, oldest first. */
  days: z.array(z.object({ day: z.string(), events: z.number().int(), orders: z.number().int() })),
})
export type Cockpit = z.infer<typeof Cockpit>

export const routes = {
  home: route({
    method: 'GET',
    path: '/api/cockpit',
    summary: 'What waits for you, what waits for others, and the numbers of the day.',
    allow: 'signed-in',
    reply: Cockpit,
  }),
}
