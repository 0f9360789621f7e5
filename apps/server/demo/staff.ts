import { demoStaff } from './stack.ts'

/** Shown on the sign-in page of the demo company, and nowhere else. */
export const demoPassword = 'interlock demo'
export const demoTitles: Record<string, string> = Object.fromEntries(demoStaff.map((one) => [one.email, one.title]))
