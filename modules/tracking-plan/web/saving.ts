import type { Source } from '../../sources/contract.ts'
import { call, useDeed } from '../../../ui/api.ts'
import { routes, type Plan, type PlanContent } from '../contract.ts'

export const emptyPlan: PlanContent = {
  mode: 'observe',
  unplannedEvents: 'violation',
  unplannedProperties: 'violation',
  ownerMarketing: null,
  ownerIt: null,
  events: [],
}
export const touches = ['/api/tracking-plans', '/api/audit']

/** Saves a plan over the version that is shown; Undo saves that one again. */
export function useSavePlan(sourceId: Source['id'], plan: Plan | null) {
  const save = useDeed(routes.save, {
    touches,
    done: (now) => `Version ${String(now.version)} is in force within five seconds.`,
    undo: (now) =>
      plan === null
        ? undefined
        : () =>
            call(routes.save, {
              params: { sourceId },
              body: {
                content: plan.content,
                basedOn: now.version,
                note: `Back to version ${String(plan.version)}`,
              },
            }),
  })
  return {
    busy: save.isPending,
    save(content: PlanContent, note: string, then?: () => void) {
      save.mutate(
        { params: { sourceId }, body: { content, basedOn: plan?.version ?? 0, note } },
        { onSuccess: () => then?.() },
      )
    },
  }
}
