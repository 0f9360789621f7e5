import type { Explainer } from '../../collect/server/index.ts'
import { deedOf, type CompiledPlan } from './compiled.ts'

const deeds: Readonly<Record<string, string>> = {
  quarantine: 'It is put aside.',
  block: 'It is blocked.',
  omit: 'What does not keep to it is left out.',
}

/** Holds one event, as it came, against the plan in force: another one than it was judged by when the plan was changed since. */
export function explainEvent(inForce: (sourceId: string) => CompiledPlan | undefined): Explainer {
  return ({ event }) => {
    const name = 'Tracking plan'
    const plan = inForce(event.sourceId)
    if (plan === undefined)
      return Promise.resolve({ name, is: 'ok' as const, says: 'This source has no tracking plan.', facts: [] })
    const { findings, mode } = plan.judge(event)
    const deed = findings.length === 0 ? undefined : deeds[deedOf(findings, mode) ?? '']
    return Promise.resolve({
      name,
      is: findings.length === 0 ? ('ok' as const) : ('warn' as const),
      says:
        findings.length === 0
          ? `It keeps to the plan (version ${String(plan.version)}, the one in force now).`
          : `It violates the plan in force now (version ${String(plan.version)}). ${deed ?? 'That is only noted.'}`,
      facts: [
        ...findings
          .slice(0, 20)
          .map((one) => ({ label: one.property === '' ? 'the event' : one.property, says: one.because })),
        { label: 'Plan', says: 'open the plan', to: `/sources/${event.sourceId}/plan` },
      ],
    })
  }
}
