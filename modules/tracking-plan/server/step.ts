import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { EventInFlight, PipelineStep } from '../../collect/server/index.ts'
import type { Mode } from '../contract.ts'
import { carries, deedOf, leftOut, type CompiledPlan, type Finding } from './compiled.ts'
import { without } from './paths.ts'
import { violationsOf } from './violations.ts'

export interface StepNeeds {
  clickhouse: ClickHouse
  /** The plan in force, from memory; undefined when the source has none. */
  inForce(sourceId: string): CompiledPlan | undefined
  /** By which versions a batch is judged; the same ones when it comes again after a crash. */
  pinned(
    of: { journalId: string; token: string },
    sourceIds: readonly string[],
  ): Promise<ReadonlyMap<string, CompiledPlan>>
}

/**
 * The step of the pipeline that holds events against the tracking plan of their source: before identity, so that what is put aside or blocked makes
 * nobody known. Violations are stored under the batch's token first, then the events are dealt with; the same batch is judged by the same versions
 * however often it comes. What comes out of the quarantine is judged, but its violations are not written down a second time.
 */
export function planStep(needs: StepNeeds): PipelineStep {
  return {
    name: 'tracking-plan',
    async run({ token, events, of }) {
      const plans = await needs.pinned(of, [...new Set(events.map(({ event }) => event.sourceId))])
      if (plans.size === 0) return
      const found: { one: EventInFlight; findings: Finding[]; by: { version: number; mode: Mode } }[] = []
      const violations = violationsOf()
      for (const one of events) {
        const plan = plans.get(one.event.sourceId)
        if (plan === undefined) continue
        const { findings, mode } = plan.judge(one.event)
        if (findings.length === 0) continue
        const by = { version: plan.version, mode }
        found.push({ one, findings, by })
        if (one.replayed !== true) violations.add(one.event, findings, by)
      }
      await violations.store(needs.clickhouse, token)
      for (const { one, findings, by } of found) dealWith(one, findings, by)
    },
    preview(events) {
      for (const one of events) {
        const plan = needs.inForce(one.event.sourceId)
        if (plan === undefined) continue
        const { findings, mode } = plan.judge(one.event)
        dealWith(one, findings, { version: plan.version, mode })
      }
    },
  }
}

function dealWith(one: EventInFlight, findings: readonly Finding[], by: { version: number; mode: Mode }): void {
  const { event } = one
  const deed = deedOf(findings, by.mode)
  if (deed === 'quarantine') {
    const because = findings
      .slice(0, 3)
      .map((finding) => finding.because)
      .join('; ')
    const more = findings.length > 3 ? `; and ${String(findings.length - 3)} more` : ''
    one.outcome = {
      kind: 'quarantined',
      reason: 'violates_plan',
      because: `Plan version ${String(by.version)}: ${because}${more}.`,
    }
  } else if (deed === 'block') one.outcome = { kind: 'rejected', reason: 'blocked_by_plan' }
  else if (deed === 'omit') {
    const where = carries(event.type)
    const out = leftOut(findings)
    one.event = { ...event, [where]: without(event[where], out) }
    // RudderStack's SDKs say the traits of an identify call in its context too.
    const said = event.context['traits']
    if (event.type === 'identify' && typeof said === 'object' && said !== null && !Array.isArray(said))
      one.event.context = { ...event.context, traits: without(said, out) }
  }
}
