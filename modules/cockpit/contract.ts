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
  /** All that a request needs, as the end of “It needs …”; null for what is none. */
  needs: z.string().nullable(),
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

/** The demo company, while it runs: how far it is loaded, and whether new events trickle in. */
export const Demo = z.object({
  loading: z.object({ says: z.string(), share: z.number() }).nullable(),
  trickle: z.boolean(),
})
export type Demo = z.infer<typeof Demo>

/** One step from an empty installation to the first request. */
export const Step = z.object({
  key: z.string(),
  title: z.string(),
  sentence: z.string(),
  href: z.string(),
  done: z.boolean(),
  /** What one must be allowed to do for it. */
  permission: z.string(),
})
export type Step = z.infer<typeof Step>

export const Cockpit = z.object({
  demo: Demo.nullable(),
  /** What is wrong with the ledger of events; null while everything adds up. */
  ledger: z.object({ sentence: z.string(), since: z.string() }).nullable(),
  /** What is left until the first request; empty once all of it is done. */
  beginning: z.array(Step),
  needsYou: z.array(Task),
  waitsForOthers: z.array(Task),
  numbers: z.array(Number),
  /** What people did on each of the last 14 days, oldest first; what files and consents say is not counted here. */
  days: z.array(z.object({ day: z.string(), events: z.number().int(), orders: z.number().int() })),
})
export type Cockpit = z.infer<typeof Cockpit>

export const routes = {
  home: route({
    method: 'GET',
    path: '/api/cockpit',
    summary: 'What waits for you, what waits for others, and the numbers of the day.',
    allow: 'data.read',
    reply: Cockpit,
  }),
  trickle: route({
    method: 'POST',
    path: '/api/demo/trickle',
    summary: 'Let new events of the demo company come in, or pause them.',
    allow: 'data.write',
    body: z.object({ running: z.boolean() }),
    reply: Demo,
  }),
}
