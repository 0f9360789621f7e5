import type { Registry } from 'prom-client'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { Collect } from '../../collect/server/index.ts'
import type { Broadcast } from '../../journeys/contract.ts'
import type { Journeys } from '../../journeys/server/index.ts'
import type { Segments } from '../../segments/server/index.ts'
import type { Assumptions, CapacityPage, Planned, Warning } from '../contract.ts'
import { crossing, forecast, stepsAnHour, type Launch } from './forecast.ts'
import { createMeasuring, type Meter } from './measuring.ts'
import { addCapacityMetrics } from './metrics.ts'
import { readSeen } from './past.ts'
import { plansOf } from './plans.ts'
import { assumedAtFirst, baseOf, responseFor } from './response.ts'
import { measurementOf, verdictOf, warningOf } from './sentences.ts'
import { capacityStore } from './store.ts'

export interface Capacity {
  page(): Promise<CapacityPage>
  /** Begins to measure, in the background. @throws Refusal('not_now') while that is under way */
  measure(caller: Caller): Promise<CapacityPage>
  cancel(): Promise<CapacityPage>
  assume(caller: Caller, said: Assumptions): Promise<CapacityPage>
  /** Where planned campaigns bring more than this machine takes, as of a minute ago; undefined while nothing does, or nothing was measured. */
  warning(): Promise<Warning | undefined>
  /** Removes what a measurement left behind that a crash cut off. */
  start(): Promise<void>
  stop(): Promise<void>
  /** The measurement that is under way is over: tests. */
  settled(): Promise<void>
}

const hourMs = 3_600_000
/** So far the forecast reaches. */
const spanHours = 7 * 24
const peakDays = 28
/** The past changes slowly and is read from every event of it; plans change while somebody looks. */
const keepSeenMs = 600_000
const keepPlansMs = 10_000
/** For what asks again and again without anybody looking at plans: metrics, and what needs you. */
const keepVerdictMs = 60_000

export interface CapacityNeeds {
  postgres: Postgres
  clickhouse: ClickHouse
  clock: Clock
  ids: Ids
  log: Log
  audit: Pick<Audit, 'write'>
  registry: Registry
  collect: Pick<Collect, 'rates' | 'receivedByHour'>
  journeys: Pick<Journeys, 'list'>
  segments: Pick<Segments, 'version' | 'size'>
  meter: Meter
}

/** What this machine takes, what comes, and what planned campaigns will bring. */
export function createCapacity(needs: CapacityNeeds): Capacity {
  const { postgres, clickhouse, clock, ids, audit, collect, segments, meter } = needs
  const store = capacityStore(postgres)
  const measuring = createMeasuring({
    meter,
    clock,
    log: needs.log,
    keep: (found, by) =>
      postgres.transaction(async (tx) => {
        const id = ids.next('measurement')
        await capacityStore(tx).insert(id, found, by.accountId, clock.now())
        await audit.write(tx, {
          actor: actorOf(by),
          deed: 'capacity.measured',
          object: { kind: 'measurement', id },
          summary: `measured that this machine takes ${found.perSecond.toLocaleString('en-GB')} single events a second`,
          facts: { perSecond: found.perSecond, cores: found.cores },
        })
      }),
  })
  const seen = kept(clock, keepSeenMs, async () => readSeen(clickhouse, await needs.journeys.list(), clock.ms()))
  const planned = kept(clock, keepPlansMs, async () => {
    const untilMs = clock.ms() + spanHours * hourMs
    return Promise.all(
      plansOf(await needs.journeys.list(), clock.ms(), untilMs).map(async (plan) => ({
        ...plan,
        people: plan.broadcast.audience ?? (await sizeOf(plan.broadcast)),
      })),
    )
  })
  const received = kept(clock, keepPlansMs, () => collect.receivedByHour(clock.ms() - peakDays * 24 * hourMs))

  async function sizeOf(broadcast: Broadcast): Promise<number> {
    const segment = await segments.version(postgres, broadcast.segment.id)
    return segment === undefined ? 0 : (await segments.size(segment.definition)).people
  }

  async function look() {
    const [latest, assumption, { past, curve, mailsPerSecond }, plans, hours] = await Promise.all([
      store.latest(),
      store.assumption(),
      seen(),
      planned(),
      received(),
    ])
    const assumed: Assumptions =
      assumption === undefined
        ? assumedAtFirst
        : { opened: assumption.opened, clicked: assumption.clicked, pagesPerClick: assumption.pages_per_click }
    const launches = plans.map((plan) => {
      const { broadcast, people } = plan
      const to = { senderId: broadcast.sender.id, topicId: broadcast.topic.id }
      const response = responseFor(to, past, assumed)
      const lastsMs = mailsPerSecond === undefined ? 0 : (people / mailsPerSecond) * 1000
      // What has no time is shown as if it left now, and is in no sum.
      const launch: Launch = {
        id: broadcast.id,
        name: broadcast.name,
        atMs: plan.atMs ?? clock.ms(),
        people,
        lastsMs,
        response,
      }
      return { plan, launch, says: response.says }
    })
    const counted = launches.filter(({ plan }) => plan.because === undefined).map(({ launch }) => launch)
    const span = {
      fromMs: clock.ms() - (clock.ms() % hourMs),
      hours: spanHours,
      base: baseOf(hours, clock.ms()),
      curve: curve.curve,
    }
    const coming = forecast(counted, span)
    const alone = (launch: Launch) =>
      coming.peaks.get(launch.id) ?? forecast([launch], { ...span, base: () => 0 }).peaks.get(launch.id) ?? 0
    const movable = new Set(launches.filter(({ plan }) => plan.movable).map(({ launch }) => launch.id))
    const limit = latest?.per_second
    const crossed = limit === undefined ? undefined : crossing(counted, movable, span, limit)
    return {
      latest,
      assumption,
      assumed,
      curve,
      mailsPerSecond,
      hours,
      coming,
      launches: launches.map((one) => ({ ...one, perSecond: alone(one.launch) })),
      warning:
        crossed === undefined || limit === undefined
          ? undefined
          : warningOf(
              crossed,
              limit,
              counted.find((one) => one.id === crossed.id),
            ),
    }
  }

  const lately = kept(clock, keepVerdictMs, look)
  addCapacityMetrics(needs.registry, async () => {
    const { latest, coming } = await lately()
    return { measured: latest?.per_second, planned: Math.max(...coming.hours.map((hour) => hour.perSecond)) }
  })

  async function page(): Promise<CapacityPage> {
    const { latest, assumption, assumed, curve, mailsPerSecond, hours, coming, launches, warning } = await look()
    const { perSecond, storing } = collect.rates()
    const peak = hours.reduce<(typeof hours)[number] | undefined>(
      (most, hour) => (most === undefined || hour.events > most.events ? hour : most),
      undefined,
    )
    const measured = latest === undefined ? null : measurementOf(latest, meter.machine(), clock.ms())
    const names = new Map(launches.map(({ launch }) => [launch.id, launch.name]))
    const within = (hour: number) => curve.curve.slice(0, hour * stepsAnHour).reduce((sum, share) => sum + share, 0)
    return {
      sentence: verdictOf(measured, coming, warning),
      measured,
      measuring: measuring.state(),
      failed: measuring.failed(),
      now: {
        perSecond,
        peak:
          peak === undefined
            ? null
            : { hour: new Date(peak.hourMs).toISOString(), events: peak.events, perSecond: peak.events / 3600 },
        storing:
          storing === undefined ? null : { perSecond: storing.perSecond, at: new Date(storing.atMs).toISOString() },
      },
      assumed,
      assumedBy:
        assumption === undefined
          ? null
          : { by: assumption.by_name ?? 'somebody who is gone', at: assumption.changed_at.toISOString() },
      curve: { measured: curve.measured, responses: curve.responses, firstHour: within(1), sixHours: within(6) },
      mailsPerSecond: mailsPerSecond ?? null,
      campaigns: launches.map(({ plan, launch, says, perSecond: most }): Planned => {
        const { sent, opened, clicked, pages } = launch.response
        return {
          id: launch.id,
          name: launch.name,
          at: plan.atMs === undefined ? null : new Date(plan.atMs).toISOString(),
          people: launch.people,
          sent,
          opened,
          clicked,
          pages,
          says,
          perSecond: most,
          counted: plan.because === undefined,
          because: plan.because ?? null,
        }
      }),
      hours: coming.hours.map((hour) => ({
        hour: new Date(hour.atMs).toISOString(),
        base: hour.base,
        campaigns: hour.perSecond - hour.base,
        from: hour.launches.map((one) => names.get(one.id) ?? one.id),
      })),
      warning: warning ?? null,
    }
  }

  return {
    page,
    async measure(caller) {
      await measuring.begin(caller)
      return page()
    },
    async cancel() {
      await measuring.cancel()
      return page()
    },
    async assume(caller, said) {
      await postgres.transaction(async (tx) => {
        await capacityStore(tx).assume(said, caller.accountId, clock.now())
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'capacity.assumed',
          object: { kind: 'capacity', id: 'assumptions' },
          summary: 'changed what is expected of an audience that was never mailed',
          facts: { ...said },
        })
      })
      return page()
    },
    warning: async () => (await lately()).warning,
    start: () => measuring.clear(),
    stop: () => measuring.cancel(),
    async settled() {
      await measuring.settled()
    },
  }
}

/** The same answer for a while; who asks while it is made waits for that one. A failure is not kept. */
function kept<Value>(clock: Pick<Clock, 'ms'>, ms: number, make: () => Promise<Value>): () => Promise<Value> {
  let last: { atMs: number; value: Promise<Value> } | undefined
  return () => {
    const now = clock.ms()
    if (last !== undefined && now >= last.atMs && now - last.atMs < ms) return last.value
    const made = { atMs: now, value: make() }
    made.value.catch(() => {
      if (last === made) last = undefined
    })
    last = made
    return made.value
  }
}
