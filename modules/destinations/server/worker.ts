import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids, Random } from '../../../platform/random/random.ts'
import { waitMs, type Patience } from './backoff.ts'
import type { Cleared, Clearances } from './clearances.ts'
import type { Deliverer, DestinationKind, Leaving, Outcome } from './kinds/kind.ts'
import { advance, laneOf, nextOf, type Slot, type Track } from './lanes.ts'
import { ledger } from './ledger.ts'
import type { DestinationMetrics } from './metrics.ts'
import { keyOf, readKept, type KeptEvent } from './outgoing.ts'
import { project } from './projection.ts'
import { createTally } from './tally.ts'

/** Delivers to one destination, on its own: nothing that happens here holds up another. */
export interface Worker {
  /** Something may have come, or may leave now: look at once. */
  wake(): void
  /** Lets what is under way end, writes down what was done. */
  stop(): Promise<void>
  /** Events in memory without an end. */
  outstanding(): number
}

export interface WorkerNeeds {
  destinationId: string
  postgres: Postgres
  clickhouse: ClickHouse
  clearances: Pick<Clearances, 'find' | 'of'>
  clock: Clock
  random: Random
  ids: Ids
  log: Log
  metrics: DestinationMetrics
  patience: Patience
  /** Journals that have events for delivery. */
  journals(): Promise<readonly string[]>
  open(cleared: Cleared): { kind: DestinationKind; deliverer: Deliverer }
  /** Pauses it, with the reason for people. */
  pause(because: string): Promise<void>
}

interface Lane {
  queue: Slot[]
  running: Promise<void> | undefined
}

/** What is done under one agreement: when that is another, everything begins anew from what was written down. */
interface Session {
  cleared: Cleared
  kind: DestinationKind
  deliverer: Deliverer
  stop: AbortController
  lanes: Lane[]
  tracks: Map<string, Track>
  /** Dead letters in the lanes. */
  again: Set<string>
  /** Since when an event is tried, by its place. */
  trying: Map<string, number>
  restUntilMs: number
  lastTakenMs: number
  failingSinceMs: number | null
  roomForDead: number
}

/** Memory of one destination: events read and without an end. */
const windowEvents = 1_000
const windowBytes = 8 * 1024 * 1024
const readEvents = 500
/** Dead letters of one destination. Before there are more it pauses, so that none is thrown away. */
const mostDead = 50_000
const idleMs = 5_000
const tickMs = 1_000
/** Two reads of one destination are at least so far apart, so that a stream of small batches does not become a stream of questions. */
const breathMs = 200
const placeOf = (slot: Slot) => `${slot.event.journalId} ${String(slot.event.position)}`

export function createWorker(needs: WorkerNeeds): Worker {
  const { destinationId: id, postgres, clickhouse, clearances, clock, log, metrics, patience } = needs
  const stopping = new AbortController()
  const tally = createTally()
  let alarm = new AbortController()
  let session: Session | undefined
  let sinceFlush = 0
  let readAtMs = 0
  const wake = () => {
    alarm.abort()
  }
  /** Whoever stops the server does not wait for a receiver that hangs; what it perhaps took comes again under the same key. */
  async function unlessStopped(delivery: Promise<Outcome>): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    const stopped = () => {
      resolve({ kind: 'later', because: 'The server was stopped.' })
    }
    stopping.signal.addEventListener('abort', stopped)
    try {
      return await Promise.race([delivery, promise])
    } finally {
      stopping.signal.removeEventListener('abort', stopped)
    }
  }
  const countOf = (now: Session) => now.lanes.reduce((sum, lane) => sum + lane.queue.length, 0)
  const windowOf = (now: Session) => Math.max(windowEvents, 2 * now.kind.batch(now.cleared.row.settings))
  const bytesOf = (now: Session) =>
    now.lanes.reduce((sum, lane) => sum + lane.queue.reduce((bytes, slot) => bytes + slot.event.bytes, 0), 0)

  async function begin(cleared: Cleared): Promise<Session> {
    const stored = ledger(postgres)
    const cursors = await stored.cursors(id)
    const trying = await stored.trying(id)
    const dead = await stored.deadLetters(id)
    const { kind, deliverer } = needs.open(cleared)
    return {
      cleared,
      kind,
      deliverer,
      stop: new AbortController(),
      lanes: Array.from({ length: kind.lanes }, () => ({ queue: [], running: undefined })),
      tracks: new Map(
        [...cursors].map(([journalId, from]) => [journalId, { journalId, from, slots: [], committed: from }]),
      ),
      again: new Set(),
      trying,
      restUntilMs: 0,
      lastTakenMs: 0,
      failingSinceMs: cleared.row.failing_since?.getTime() ?? null,
      roomForDead: mostDead - dead,
    }
  }

  async function end(now: Session): Promise<void> {
    now.stop.abort()
    for (const lane of now.lanes) await lane.running
    session = undefined
    await now.deliverer.close()
    await flush(now)
  }

  /** Reads more while there is room: dead letters that somebody wants tried again, then each journal from where it stands. */
  async function fill(now: Session): Promise<void> {
    const { row } = now.cleared
    const most = windowOf(now)
    const put = (slot: Slot) => {
      now.lanes[laneOf(slot.event, now.lanes.length)]?.queue.push(slot)
    }
    if (countOf(now) > most / 2 || bytesOf(now) > windowBytes / 2) return
    for (const letter of await ledger(postgres).toTryAgain(id, readEvents)) {
      if (now.again.has(letter.id)) continue
      now.again.add(letter.id)
      put({
        event: {
          ...(JSON.parse(letter.body) as KeptEvent),
          journalId: letter.journal_id,
          position: letter.position,
          receivedMs: letter.received_at.getTime(),
          bytes: letter.body.length,
        },
        done: false,
        letter: letter.id,
      })
    }
    for (const journalId of await needs.journals()) {
      const track = now.tracks.get(journalId) ?? { journalId, from: 0, slots: [], committed: 0 }
      now.tracks.set(journalId, track)
      while (countOf(now) < most && bytesOf(now) < windowBytes && !now.stop.signal.aborted) {
        const events = await readKept(clickhouse, {
          journalId,
          from: track.from,
          contract: row.contract,
          beginsMs: row.begins_at?.getTime() ?? clock.ms(),
          events: Math.min(readEvents, most - countOf(now)),
          bytes: windowBytes / 2,
        })
        for (const event of events) {
          const slot: Slot = { event, done: false }
          track.slots.push(slot)
          put(slot)
        }
        const last = events.at(-1)
        if (last === undefined) break
        track.from = last.position + 1
      }
    }
  }

  /** Writes down what has an end, and how far each journal is. */
  async function flush(now: Session | undefined): Promise<void> {
    sinceFlush = 0
    const taken = tally.take()
    const cursors = [...(now?.tracks.values() ?? [])].flatMap((track) => {
      const position = advance(track)
      return position > track.committed ? [{ track, position }] : []
    })
    if (taken === undefined && cursors.length === 0) return
    try {
      await postgres.transaction((tx) =>
        ledger(tx).write(
          id,
          {
            hours: [],
            failures: [],
            dropped: [],
            dead: [],
            settled: [],
            trying: [],
            tried: [],
            lastDeliveredAt: null,
            ...taken,
            cursors: cursors.map(({ track, position }) => ({ journalId: track.journalId, position })),
            failingSince: now?.failingSinceMs == null ? null : new Date(now.failingSinceMs),
          },
          clock.now(),
        ),
      )
    } catch (error) {
      if (taken !== undefined) tally.putBack(taken)
      throw error
    }
    for (const { track, position } of cursors) track.committed = position
    for (const { id: letter } of taken?.settled ?? []) now?.again.delete(letter)
  }

  function finished(now: Session, slots: readonly Slot[]): void {
    for (const slot of slots) {
      slot.done = true
      if (now.trying.delete(placeOf(slot))) tally.tried(slot.event.journalId, slot.event.position)
    }
    sinceFlush += slots.length
    if (sinceFlush >= readEvents / 2 || countOf(now) < windowOf(now) / 4) wake()
  }

  async function bury(now: Session, slots: readonly Slot[], reason: string): Promise<void> {
    for (const slot of slots) {
      const { event, letter } = slot
      if (letter === undefined) {
        now.roomForDead -= 1
        tally.dead(clock.now(), {
          id: needs.ids.next('letter'),
          journalId: event.journalId,
          position: event.position,
          eventKey: keyOf(event.event),
          type: event.event.type,
          name: event.event.name,
          receivedAt: new Date(event.receivedMs),
          body: JSON.stringify({
            event: event.event,
            ...(event.profileId === undefined ? {} : { profileId: event.profileId }),
          } satisfies KeptEvent),
          reason,
        })
      } else tally.settled(letter, reason)
      metrics.dead.inc({ destination: id })
    }
    finished(now, slots)
    if (now.roomForDead <= 0)
      await giveUp(
        now,
        'There are 50,000 dead letters. Look at them, mend the destination, try them again; then resume.',
      )
  }
  async function giveUp(now: Session, because: string): Promise<void> {
    now.stop.abort()
    await needs.pause(because)
    wake()
  }

  async function deliver(now: Session, slots: readonly Slot[]): Promise<Outcome> {
    const { contract } = now.cleared.row
    const named = new Set<string>(contract.fields)
    const dropped: string[] = []
    const leaving = slots.map(({ event }): Leaving => {
      const projection = project(event, named)
      dropped.push(...projection.dropped)
      return {
        key: keyOf(event.event),
        type: event.event.type,
        name: event.event.name,
        time: new Date(event.event.timeMs).toISOString(),
        receivedMs: event.receivedMs,
        fields: projection.fields,
        journalId: event.journalId,
        position: event.position,
      }
    })
    let outcome: Outcome
    try {
      outcome = await unlessStopped(now.deliverer.deliver(leaving, contract.fields))
    } catch (error) {
      log.error('A delivery failed in a way that nobody expected; it is tried again.', error, { destination: id })
      outcome = { kind: 'later', because: 'Interlock itself failed; see its log.' }
    }
    if (outcome.kind === 'taken')
      for (const field of dropped) {
        tally.dropped(field)
        metrics.dropped(id, field)
      }
    return outcome
  }

  /** Until these have an end, or the session has. Asks for the clearance before each try. */
  async function settle(now: Session, slots: readonly Slot[]): Promise<void> {
    const { contract } = now.cleared.row
    const { signal } = now.stop
    for (let tries = 1; ; tries++) {
      if (now.restUntilMs > clock.ms()) await clock.sleep(now.restUntilMs - clock.ms(), signal)
      if (signal.aborted) return
      if (clearances.find(id, contract.purpose, contract.fields) !== now.cleared) {
        now.stop.abort()
        wake()
        return
      }
      const outcome = await deliver(now, slots)
      if (outcome.kind === 'taken') {
        tally.delivered(clock.now(), slots.length)
        metrics.delivered.inc({ destination: id }, slots.length)
        now.lastTakenMs = clock.ms()
        now.failingSinceMs = null
        for (const { letter } of slots) if (letter !== undefined) tally.settled(letter, null)
        finished(now, slots)
        return
      }
      if (stopping.signal.aborted) return
      tally.failed(clock.now(), outcome.because)
      metrics.failed.inc({ destination: id })
      if (outcome.kind === 'stop') {
        await giveUp(now, outcome.because)
        return
      }
      if (outcome.kind === 'refused') {
        // Of several perhaps one is to blame: each is asked about alone.
        if (slots.length > 1) for (const slot of slots) await settle(now, [slot])
        else await bury(now, slots, outcome.because)
        return
      }
      if (slots.some((slot) => slot.letter !== undefined)) {
        await bury(now, slots, outcome.because)
        return
      }
      if (await hopeless(now, slots, outcome.because)) return
      const asked = outcome.retryAfterMs
      if (asked !== undefined) now.restUntilMs = clock.ms() + Math.min(asked, patience.askedCapMs)
      await clock.sleep(waitMs(tries, asked, needs.random, patience), signal)
    }
  }

  /** Whether patience is at its end: then these, and what waited as long in the same lane, are dead letters. */
  async function hopeless(now: Session, slots: readonly Slot[], because: string): Promise<boolean> {
    const [first] = slots
    if (first === undefined) return true
    const at = clock.ms()
    now.failingSinceMs ??= at
    const since = now.trying.get(placeOf(first)) ?? at
    if (since === at) {
      now.trying.set(placeOf(first), at)
      tally.trying(first.event.journalId, first.event.position, new Date(at))
    }
    if (at - since >= patience.hopelessMs && at - now.failingSinceMs >= patience.hopelessMs) {
      const lane = now.lanes[laneOf(first.event, now.lanes.length)]
      const hours = Math.round(patience.hopelessMs / 3_600_000)
      const reason = `Nothing was taken for ${String(hours)} hours. ${because}`
      const waited = (lane?.queue ?? []).filter(
        (slot) =>
          !slot.done &&
          slot.letter === undefined &&
          slot.event.receivedMs <= at - patience.hopelessMs &&
          !slots.includes(slot),
      )
      await bury(now, [...slots, ...waited], reason)
      return true
    }
    if (now.lastTakenMs > since && at - since >= patience.aloneMs) {
      await bury(now, slots, `It was not taken for an hour while others were. ${because}`)
      return true
    }
    return false
  }

  async function runLane(now: Session, lane: Lane): Promise<void> {
    const { settings, contract } = now.cleared.row
    while (!now.stop.signal.aborted) {
      while (lane.queue[0]?.done === true) lane.queue.shift()
      const next = nextOf(lane.queue, contract.frequency, now.kind.batch(settings), clock.ms())
      if ('waitMs' in next) {
        // Looked at again now and then, because clocks are set.
        await clock.sleep(Math.min(next.waitMs, 10_000), now.stop.signal)
        continue
      }
      if (next.take === 0) return
      const slots = lane.queue.slice(0, next.take)
      await settle(now, slots)
      if (slots.every((slot) => slot.done)) lane.queue.splice(0, slots.length)
    }
  }

  function kick(now: Session): void {
    for (const lane of now.lanes) {
      if (lane.running !== undefined || lane.queue.length === 0) continue
      lane.running = runLane(now, lane)
        .catch((error: unknown) => {
          log.error('A lane of a destination ended; it begins anew.', error, { destination: id })
        })
        .finally(() => {
          lane.running = undefined
          wake()
        })
    }
  }

  async function step(): Promise<number> {
    const cleared = clearances.of(id)
    if (session !== undefined && (session.cleared !== cleared || session.stop.signal.aborted)) await end(session)
    if (cleared === undefined) {
      await flush(undefined)
      return idleMs
    }
    session ??= await begin(cleared)
    const early = readAtMs + breathMs - clock.ms()
    if (early > 0) await clock.sleep(Math.min(early, breathMs), stopping.signal)
    readAtMs = clock.ms()
    await fill(session)
    kick(session)
    await flush(session)
    return countOf(session) > 0 ? tickMs : idleMs
  }

  const running = (async () => {
    let failures = 0
    while (!stopping.signal.aborted) {
      alarm = new AbortController()
      let rest: number
      try {
        rest = await step()
        failures = 0
      } catch (error) {
        failures += 1
        rest = Math.min(15_000, 500 * 2 ** Math.min(failures, 6))
        log.warn('A destination waits for an engine.', { destination: id, error: String(error), waitMs: rest })
        await clock.sleep(rest, stopping.signal)
        continue
      }
      await clock.sleep(rest, AbortSignal.any([alarm.signal, stopping.signal]))
    }
    if (session !== undefined) await end(session)
    else await flush(undefined)
  })().catch((error: unknown) => {
    log.warn('What a destination did last could not be written down; it is delivered again.', { error: String(error) })
  })

  return {
    wake,
    async stop() {
      stopping.abort()
      session?.stop.abort()
      await running
    },
    outstanding: () => (session === undefined ? 0 : countOf(session)),
  }
}
