import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import { inSlices } from '../../../platform/clock/slices.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { Explainer, PipelineStep } from '../../collect/server/index.ts'
import type { Source, Sources } from '../../sources/server/index.ts'
import { keyOf, labelOfEvent, PlanContent, type Judged, type Plan, type SeenEvent } from '../contract.ts'
import { clientOf } from './client-code.ts'
import { compilePlan, deedOf, type CompiledPlan } from './compiled.ts'
import { differencesOf } from './differences.ts'
import { explainEvent } from './event-way.ts'
import { adopted, countLastWeek, lastWeek, readSeen, seenDays } from './seen.ts'
import { planStep } from './step.ts'
import { planStore } from './store.ts'
import { readViolations } from './violations.ts'

type SourceId = Id<'source'>

export interface TrackingPlans {
  /** Reads the plans into memory; again whenever one was saved, here or by another server. */
  load(): Promise<void>
  stop(): void
  /** Holds events against the plan of their source. In the pipeline before identity. */
  step: PipelineStep
  /** What the plan in force says of one event. */
  explainEvent: Explainer
  list(): Promise<Plan[]>
  get(sourceId: SourceId): Promise<{
    plan: Plan | null
    owners: Record<string, string>
    versions: Awaited<ReturnType<ReturnType<typeof planStore>['versions']>>
  }>
  version(sourceId: SourceId, version: number): Promise<Plan>
  /** Saves a new version, in force at once here and within five seconds elsewhere. @throws Refusal('conflict') when another was saved in between */
  save(caller: Caller, sourceId: SourceId, content: PlanContent, basedOn: number, note: string): Promise<Plan>
  seen(sourceId: SourceId): Promise<{ seen: SeenEvent[]; days: number }>
  adopt(caller: Caller, sourceId: SourceId, events: 'all' | readonly { type: string; name: string }[]): Promise<Plan>
  /** What a plan would have done to the events of the last seven days. */
  judge(sourceId: SourceId, content: PlanContent): Promise<Judged>
  violations(sourceId: SourceId, period: 'hour' | 'day' | 'week' | 'quarter'): ReturnType<typeof readViolations>
  /** The typed client. @throws Refusal('not_found') without a plan */
  client(sourceId: SourceId): Promise<{ fileName: string; text: string }>
}

export interface TrackingPlanNeeds {
  postgres: Postgres
  clickhouse: ClickHouse
  clock: Clock
  log: Log
  audit: Pick<Audit, 'write'>
  sources: Pick<Sources, 'get'>
  /** Names of accounts; an id that is nobody's is left out. */
  names(ids: readonly string[]): Promise<Record<string, string>>
}

/** Less than five seconds until every server judges by a plan that was saved. */
const reloadEveryMs = 2000
/** Of the last seven days so many events, the newest, are held against a plan that is thought about. */
const mostJudged = 50_000

export function createTrackingPlans(needs: TrackingPlanNeeds): TrackingPlans {
  const { postgres, clickhouse, clock, audit } = needs
  const store = planStore(postgres)
  let inForce = new Map<string, CompiledPlan>()
  let stamp: string | undefined
  let stopReloading = () => {}

  async function reload(): Promise<void> {
    const now = await store.stamp()
    if (now === stamp) return
    const next = new Map<string, CompiledPlan>()
    for (const plan of await store.present()) {
      const known = inForce.get(plan.sourceId)
      next.set(plan.sourceId, known?.version === plan.version ? known : compilePlan(plan.content, plan.version))
    }
    inForce = next
    stamp = now
  }

  async function needSource(id: SourceId): Promise<Source> {
    const source = await needs.sources.get(id)
    if (source === undefined) throw new Refusal('not_found', 'There is no such source.')
    if (source.kind === 'internal') throw new Refusal('not_now', 'Interlock’s own events have no tracking plan.')
    return source
  }

  async function save(
    caller: Caller,
    source: Source,
    content: PlanContent,
    basedOn: number,
    note: string,
  ): Promise<Plan> {
    const owners = [content.ownerMarketing, content.ownerIt].filter((id) => id !== null)
    const names = await needs.names(owners)
    const nobody = owners.find((id) => !Object.hasOwn(names, id))
    if (nobody !== undefined) throw new Refusal('bad_input', `Nobody here has the account ${nobody}.`)
    const compiled = compilePlan(content, basedOn + 1)
    const plan: Plan = {
      sourceId: source.id,
      version: basedOn + 1,
      content,
      note,
      savedAt: clock.now().toISOString(),
      savedBy: caller.accountId,
    }
    await postgres.transaction(async (tx) => {
      const before = await planStore(tx).get(source.id)
      if ((before?.version ?? 0) !== basedOn || !(await planStore(tx).add(plan))) {
        throw new Refusal(
          'conflict',
          `The plan of “${source.name}” is at version ${String(before?.version ?? 0)} now; you edited version ${String(basedOn)}.`,
        )
      }
      const changes = differencesOf(before?.content, content)
      await audit.write(tx, {
        actor: actorOf(caller),
        deed: before === undefined ? 'plan.created' : 'plan.changed',
        object: { kind: 'source', id: source.id },
        summary: `${before === undefined ? 'Made' : 'Changed'} the tracking plan of “${source.name}” (version ${String(plan.version)})`,
        facts: { version: plan.version, events: content.events.length, mode: content.mode, changes: changes.length },
      })
      tx.afterCommit(() => {
        inForce = new Map([...inForce, [source.id, compiled]])
      })
    })
    return plan
  }

  const step = planStep({
    clickhouse,
    inForce: (sourceId) => inForce.get(sourceId),
    async pinned(of, sourceIds) {
      const now = Object.fromEntries(sourceIds.map((id) => [id, inForce.get(id)?.version ?? 0]))
      const versions = await store.judgedBy(of, now)
      const plans = new Map<string, CompiledPlan>()
      for (const id of sourceIds) {
        const version = versions[id] ?? 0
        const known = inForce.get(id)
        if (version === 0) continue
        if (known?.version === version) plans.set(id, known)
        else {
          // Only after a crash between two versions.
          const earlier = await store.get(id, version)
          if (earlier !== undefined) plans.set(id, compilePlan(earlier.content, version))
        }
      }
      return plans
    },
  })

  return {
    step,
    explainEvent: explainEvent((sourceId) => inForce.get(sourceId)),
    async load() {
      await reload()
      stopReloading()
      stopReloading = clock.every(reloadEveryMs, reload, (error) => {
        needs.log.warn('The tracking plans could not be read again; those in memory stay in force.', {
          error: String(error),
        })
      })
    },
    stop() {
      stopReloading()
    },
    list: () => store.present(),
    async get(sourceId) {
      await needSource(sourceId)
      const [plan, versions] = await Promise.all([store.get(sourceId), store.versions(sourceId)])
      const ids = [plan?.content.ownerMarketing, plan?.content.ownerIt, ...versions.map((one) => one.savedBy)]
      return { plan: plan ?? null, owners: await needs.names(ids.filter((id) => typeof id === 'string')), versions }
    },
    async version(sourceId, version) {
      const plan = await store.get(sourceId, version)
      if (plan === undefined) throw new Refusal('not_found', 'There is no such version.')
      return plan
    },
    async save(caller, sourceId, content, basedOn, note) {
      return save(caller, await needSource(sourceId), content, basedOn, note)
    },
    async seen(sourceId) {
      await needSource(sourceId)
      const plan = await store.get(sourceId)
      return { seen: await readSeen(clickhouse, sourceId, clock.ms(), plan?.content), days: seenDays }
    },
    async adopt(caller, sourceId, events) {
      const source = await needSource(sourceId)
      const plan = await store.get(sourceId)
      const seen = await readSeen(clickhouse, sourceId, clock.ms(), plan?.content)
      const wanted = events === 'all' ? undefined : new Set(events.map(keyOf))
      const taken = seen.filter((one) => wanted === undefined || wanted.has(keyOf(one)))
      if (taken.length === 0)
        throw new Refusal('not_now', `Nothing of this arrived in the last ${String(seenDays)} days.`)
      const before = plan?.content ?? PlanContent.parse({})
      const after = PlanContent.safeParse(adopted(before, taken))
      if (!after.success)
        throw new Refusal(
          'bad_input',
          `What arrived cannot be planned as it is: ${after.error.issues[0]?.message ?? ''}.`,
        )
      const note =
        taken.length === 1 && taken[0] !== undefined
          ? `Adopted ${labelOfEvent(taken[0])}`
          : `Adopted ${String(taken.length)} events that arrived`
      return save(caller, source, after.data, plan?.version ?? 0, note)
    },
    async judge(sourceId, content) {
      await needSource(sourceId)
      const compiled = compilePlan(content, 0)
      const sum: Judged = {
        events: 0,
        looked: 0,
        clean: 0,
        noted: 0,
        omitted: 0,
        quarantined: 0,
        blocked: 0,
        worst: [],
      }
      sum.events = await countLastWeek(clickhouse, sourceId, clock.ms())
      const worst = new Map<string, Judged['worst'][number]>()
      const counter = {
        nothing: 'clean',
        note: 'noted',
        omit: 'omitted',
        quarantine: 'quarantined',
        block: 'blocked',
      } as const
      for await (const rows of lastWeek(clickhouse, sourceId, clock.ms(), mostJudged)) {
        await inSlices(rows, (row) => {
          const { findings, mode } = compiled.judge(row)
          sum.looked += 1
          sum[counter[deedOf(findings, mode)]] += 1
          for (const { rule, property } of findings) {
            const key = JSON.stringify([keyOf(row), property, rule])
            const known = worst.get(key) ?? { event: labelOfEvent(row), property, rule, events: 0 }
            known.events += 1
            if (worst.size < 10_000) worst.set(key, known)
          }
        })
      }
      sum.events = Math.max(sum.events, sum.looked)
      sum.worst = [...worst.values()].sort((a, b) => b.events - a.events).slice(0, 20)
      return sum
    },
    async violations(sourceId, period) {
      await needSource(sourceId)
      return readViolations(clickhouse, sourceId, period, clock.ms())
    },
    async client(sourceId) {
      const source = await needSource(sourceId)
      const plan = await store.get(sourceId)
      if (plan === undefined) throw new Refusal('not_found', `“${source.name}” has no tracking plan yet.`)
      return clientOf(source.name, plan)
    },
  }
}
