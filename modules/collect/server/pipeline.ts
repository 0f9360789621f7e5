import { hash } from 'node:crypto'
import type { Id } from '../../../lib/ids/ids.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import { inSlices } from '../../../platform/clock/slices.ts'
import type { DedupIndex } from '../../../platform/journal/dedup-index.ts'
import type { Journal, JournalRecord, SealedBatch } from '../../../platform/journal/journal.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { largeBytes, type Json, type Outcome, type QuarantineReason, type TrackedEvent } from '../contract.ts'
import { comparedPerBatch, differencesOf, storeConflicts, type Conflict } from './conflicts.ts'
import { storeEvents, storePutAside, type PutAside } from './event-store.ts'
import type { Inspector } from './inspector.ts'
import { countBatch, tallyOf, type OutcomeCount } from './ledger.ts'
import type { CollectMetrics } from './metrics.ts'
import { normalise, type Envelope, type Normalised } from './normalise.ts'
import { arrivalsOf, type Arrivals } from './on-the-way.ts'
import { readJson } from './read-json.ts'
import { markReplayed } from './put-aside.ts'
import { decodeRecord } from './record.ts'
import { claimReplays } from './replayed.ts'
import { Away, withoutTheGuilty } from './tries.ts'

/** One event on its way through the steps. A step may set who it is about, or an outcome that ends its way. */
export interface EventInFlight {
  event: TrackedEvent
  position: bigint
  profileId?: Id<'profile'>
  /** The number of the identifier that it hangs on: it follows that identifier, whosever it becomes. */
  anchor?: number
  outcome?: Outcome
  /** It comes out of the quarantine. */
  replayed?: true
}

/** A named step of the pipeline. Gets the events of one sealed batch, each once, none that was stored before. */
export interface PipelineStep {
  name: string
  /** Must be safe to run again with the same batch: after a crash it comes again, with the same token and the same events. */
  run(batch: StepBatch): Promise<void>
  /** Sets the outcome that `run` would set, and changes nothing else: for a dry run. A step that never ends an event's way needs none. */
  preview?(events: EventInFlight[]): void
}

export interface StepBatch {
  /** Of these events: the batch's own, or of the part of it that is tried apart. A deduplication token for what the step stores. */
  token: string
  events: EventInFlight[]
  /** The batch that the journal has in hand: the same until all of it is done, also after a crash. */
  of: { journalId: string; token: string }
}

/** Hears of what was stored, batch by batch in the order of the journal, before the batch is confirmed: what it keeps of it is never behind the store. */
export interface Listener {
  name: string
  /**
   * Must be safe to run again with the same batch, as a step. Whatever it throws is taken for an engine that is away: the queue waits, because the
   * events are stored already and cannot be put aside.
   */
  hear(batch: { token: string; journalId: string; events: readonly EventInFlight[] }): Promise<void>
}

/** One record of the batch, with what became of it. */
interface Entry {
  position: bigint
  envelope: Envelope
  raw: Uint8Array
  inFlight: EventInFlight | undefined
  key: string | undefined
  outcome: Outcome | undefined
  because: string | undefined
  /** A row of the quarantine that was replayed before: this place in the journal is used up, and nothing happened. */
  again: boolean
}

/** A batch whose events were read. */
interface PreparedBatch {
  batch: SealedBatch
  /** Undefined when they could not be read; that is tried again when it is handled. */
  entries: readonly Entry[] | undefined
}

export interface PipelineNeeds {
  postgres: Postgres
  clickhouse: ClickHouse
  journal: Journal
  index: DedupIndex
  clock: Clock
  log: Log
  inspector: Inspector
  metrics: CollectMetrics
  /** The event at a position, when it was read before. */
  known(position: bigint): Normalised | undefined
  /** The batch is counted; told once for each time it is handled. */
  counted(to: bigint, what: { arrivals: readonly Arrivals[]; replays: number }): void
  /** The counts were written: now, earlier (a batch that came again), or it is not known. */
  wrote(how: 'now' | 'before' | 'unsure', arrivals: readonly Arrivals[]): void
}

/** 128 bits of SHA-256 over source and message id, a character each: no two messages ever share it. */
export function dedupKey(sourceId: string, messageId: string): string {
  return hash('sha256', `${sourceId} ${messageId}`, 'latin1').slice(0, 16)
}

/** The message id of an event that came without one. */
export const assignedId = (journalId: string, position: bigint, envelope: Envelope) =>
  envelope.replay?.assignedId ?? `il-${journalId}-${position}`

/** The key under which a record of the journal is deduplicated; undefined when there is no event in it. */
export function keyOfRecord(journalId: string, position: bigint, payload: Uint8Array): string | undefined {
  const { envelope, event } = decodeRecord(payload)
  if (envelope.fault !== undefined) return undefined
  const normalised = readEvent(event, envelope, assignedId(journalId, position, envelope))
  return 'event' in normalised ? dedupKey(normalised.event.sourceId, normalised.event.messageId) : undefined
}

/**
 * From journal to store: read → deduplicate → steps → ClickHouse → counts → index → cursor. Everything up to the cursor may
 * happen again after a crash and then changes nothing: the steps by their promise, ClickHouse by the batch's token, the
 * counts by their own cursor, the index because who won keeps its position.
 */
export function createPipeline(
  needs: PipelineNeeds,
  steps: readonly PipelineStep[],
  listeners: readonly Listener[] = [],
) {
  const { postgres, clickhouse, journal, index, clock, log, inspector, metrics } = needs

  async function there(): Promise<void> {
    await Promise.all([clickhouse.ping(), postgres.query('SELECT 1')])
  }

  function read({ position, payload }: JournalRecord, known: Normalised | undefined): Entry {
    const { envelope, event: raw } = decodeRecord(payload)
    const entry: Entry = {
      position,
      envelope,
      raw,
      inFlight: undefined,
      key: undefined,
      outcome: undefined,
      because: undefined,
      again: false,
    }
    if (envelope.fault !== undefined) return { ...entry, outcome: { kind: 'quarantined', reason: envelope.fault } }
    const normalised = known ?? readEvent(raw, envelope, assignedId(journal.id, position, envelope))
    if ('quarantined' in normalised) {
      entry.outcome = { kind: 'quarantined', reason: normalised.quarantined }
      return entry
    }
    const { event } = normalised
    entry.inFlight = envelope.replay === undefined ? { event, position } : { event, position, replayed: true }
    entry.key = dedupKey(event.sourceId, event.messageId)
    return entry
  }

  /** A row of the quarantine belongs to the first place that replays it; any later one is used up. */
  async function claim(entries: readonly Entry[]): Promise<void> {
    const places = entries.flatMap((entry) =>
      entry.envelope.replay === undefined ? [] : [{ entry, position: entry.position, replay: entry.envelope.replay }],
    )
    if (places.length === 0) return
    const mine = await away('PostgreSQL', () => claimReplays(postgres, journal.id, places))
    for (const [at, { entry }] of places.entries()) {
      if (mine[at] === true) continue
      entry.again = true
      entry.outcome = { kind: 'deduplicated' }
    }
  }

  /** Who was first keeps the place, in the index or in this batch; the same event of the same batch is itself. */
  async function deduplicate(entries: readonly Entry[]): Promise<Conflict[]> {
    const candidates = entries.filter((entry) => entry.key !== undefined && entry.outcome === undefined)
    const won = await index.find(candidates.map(({ key }) => key ?? ''))
    const here = new Map<string, Entry>()
    const seen: { entry: Entry; first: Entry | bigint }[] = []
    for (const [at, entry] of candidates.entries()) {
      const winner = won[at]
      const key = entry.key ?? ''
      const first = here.get(key) ?? (winner === entry.position ? undefined : winner)
      if (first === undefined) here.set(key, entry)
      else {
        entry.outcome = { kind: 'deduplicated' }
        seen.push({ entry, first })
      }
    }
    return conflictsAmong(seen)
  }

  /**
   * Of events that were seen before, those that say something else than the first. The first is in this batch or in the journal still; what lies further
   * back is compared when somebody looks at the event.
   */
  async function conflictsAmong(seen: readonly { entry: Entry; first: Entry | bigint }[]): Promise<Conflict[]> {
    const found: Conflict[] = []
    let looked = 0
    for (const { entry, first } of seen) {
      const event = entry.inFlight?.event
      let other = typeof first === 'bigint' ? undefined : first.inFlight?.event
      if (typeof first === 'bigint' && first >= 0n && looked < comparedPerBatch) {
        looked += 1
        const [record] = await journal.read(first, 1).catch(() => [])
        other = record?.position === first ? read(record, undefined).inFlight?.event : undefined
      }
      if (event === undefined || other === undefined) continue
      if (event.sourceId !== other.sourceId || event.messageId !== other.messageId) continue
      const differs = differencesOf(other, event)
      if (differs.length === 0) continue
      entry.outcome = { kind: 'deduplicated', reason: 'other_body' }
      const { sourceId, messageId, receivedMs } = event
      const won = typeof first === 'bigint' ? first : first.position
      found.push({ sourceId, messageId, position: entry.position, won, differs, receivedMs, raw: entry.raw })
    }
    return found
  }

  /** Runs work over what is still on its way; whoever it fails on three times is put aside. */
  async function over(
    entries: readonly Entry[],
    what: string,
    reason: QuarantineReason,
    work: (some: readonly Entry[], part: string) => Promise<void>,
  ): Promise<void> {
    const going = entries.filter((entry) => entry.outcome === undefined)
    const began = clock.ms()
    const guilty = await withoutTheGuilty(going, work, { clock, there, what })
    metrics.stepSeconds.observe({ step: what }, (clock.ms() - began) / 1000)
    for (const { item, error } of guilty) {
      log.error(`${what} failed on one event three times; it is put aside.`, error, { position: String(item.position) })
      item.outcome = { kind: 'quarantined', reason }
      item.because = `${what}: ${error.message.slice(0, 500)}`
    }
  }

  async function readAll(batch: SealedBatch, known: (position: bigint) => Normalised | undefined): Promise<Entry[]> {
    const entries: Entry[] = []
    await inSlices(batch.records, (record) => {
      entries.push(read(record, known(record.position)))
    })
    return entries
  }

  async function handle(batch: SealedBatch, entries: readonly Entry[]): Promise<void> {
    await claim(entries)
    const conflicts = await deduplicate(entries)

    for (const step of steps) {
      await over(entries, step.name, 'step_failed', async (some, part) => {
        const events = some.flatMap((entry) => (entry.inFlight === undefined ? [] : [entry.inFlight]))
        for (const event of events) delete event.outcome
        const of = { journalId: journal.id, token: batch.token }
        await step.run({ token: `${batch.token}${part}`, events, of })
      })
      for (const entry of entries) entry.outcome ??= entry.inFlight?.outcome
    }
    await over(entries, 'store', 'store_refused', async (some, part) => {
      const events = some.flatMap(({ inFlight, position }) =>
        inFlight === undefined
          ? []
          : [{ event: inFlight.event, position, profileId: inFlight.profileId, anchor: inFlight.anchor }],
      )
      await storeEvents(clickhouse, `${batch.token}${part}`, events)
    })
    for (const entry of entries) entry.outcome ??= { kind: 'stored' }

    const stored = entries.flatMap(({ outcome, inFlight }) =>
      outcome?.kind === 'stored' && inFlight !== undefined ? [inFlight] : [],
    )
    for (const { name, hear } of listeners)
      await away(name, () => hear({ token: batch.token, journalId: journal.id, events: stored }))

    const aside = entries.flatMap((entry): PutAside[] =>
      entry.outcome?.kind === 'quarantined'
        ? [
            {
              ...entry,
              because: entry.because ?? entry.outcome.because,
              reason: entry.outcome.reason,
              event: entry.inFlight?.event,
            },
          ]
        : [],
    )
    await away('ClickHouse', () => storePutAside(clickhouse, batch.token, journal.id, aside))
    await away('ClickHouse', () => storeConflicts(clickhouse, batch.token, journal.id, conflicts))
    const replays = entries.flatMap(({ envelope, again, outcome }) =>
      envelope.replay === undefined || again || outcome === undefined
        ? []
        : [{ ...envelope.replay, receivedMs: envelope.receivedMs, outcome: outcome.kind, reason: reasonOf(outcome) }],
    )
    await away('ClickHouse', () => markReplayed(clickhouse, batch.token, replays))

    const counts = countsOf(entries)
    const keys = entries.flatMap(({ key, outcome, position }) =>
      key !== undefined && outcome?.kind === 'stored' ? [{ key, position }] : [],
    )
    const arrivals = arrivalsOf(entries.flatMap(({ envelope }) => (envelope.replay === undefined ? [envelope] : [])))
    const count = async () => {
      try {
        const place = { journalId: journal.id, from: batch.from, to: batch.to }
        needs.wrote((await countBatch(postgres, place, counts, replays)) ? 'now' : 'before', arrivals)
      } catch (error) {
        needs.wrote('unsure', arrivals)
        throw error
      }
    }
    await Promise.all([away('PostgreSQL', count), index.record(keys)])
    needs.counted(batch.to, {
      arrivals,
      replays: entries.filter(({ envelope }) => envelope.replay !== undefined).length,
    })

    await journal.confirm(batch)
    for (const one of counts)
      if (one.outcome === 'large') metrics.large.inc(one.events)
      else if (one.outcome !== 'replayed' && one.events > 0)
        metrics.outcomes.inc({ outcome: one.outcome, reason: one.reason }, one.events)
    for (const { position, envelope, inFlight, outcome, again } of entries.slice(-500)) {
      if (outcome === undefined || again) continue
      inspector.settled(position, envelope, { event: inFlight?.event, outcome, profileId: inFlight?.profileId })
    }
  }

  return {
    /** Reads a batch, which may happen while the one before is handled. */
    async prepare(batch: SealedBatch): Promise<PreparedBatch> {
      return { batch, entries: await readAll(batch, needs.known).catch(() => undefined) }
    },
    /** Until it is done, however long an engine is away; or until the signal. */
    async handle({ batch, entries }: PreparedBatch, signal: AbortSignal): Promise<void> {
      for (let tries = 1; !signal.aborted; tries++) {
        try {
          // A try that failed may have changed them.
          const read = tries === 1 ? entries : undefined
          await handle(batch, read ?? (await readAll(batch, () => undefined)))
          return
        } catch (error) {
          if (signal.aborted) return
          const waitMs = Math.min(15_000, 200 * 2 ** Math.min(tries, 10))
          if (error instanceof Away) log.warn(`${error.message} The queue waits.`, { waitMs, err: error.cause })
          else log.error('A batch could not be handled; the queue waits.', error, { waitMs, token: batch.token })
          metrics.waits.inc()
          await clock.sleep(waitMs, signal)
        }
      }
    },
  }
}

/** Reads an event out of the quarantine as a replay would, and lets the steps say what they would do. */
export async function previewOf(
  rows: readonly { envelope: Envelope; raw: Uint8Array; assignedId: string }[],
  needs: { index: DedupIndex; steps: readonly PipelineStep[] },
): Promise<{ outcome: Outcome; name: string }[]> {
  const read = rows.map(({ envelope, raw, assignedId: id }) =>
    envelope.fault === undefined ? readEvent(raw, envelope, id) : { quarantined: envelope.fault },
  )
  const events = read.flatMap((one): EventInFlight[] =>
    'event' in one ? [{ event: one.event, position: 0n, replayed: true }] : [],
  )
  const won = await needs.index.find(events.map(({ event }) => dedupKey(event.sourceId, event.messageId)))
  for (const [at, one] of events.entries()) if (won[at] !== undefined) one.outcome = { kind: 'deduplicated' }
  for (const step of needs.steps) step.preview?.(events.filter((one) => one.outcome === undefined))
  let at = 0
  return read.map((one) =>
    'event' in one
      ? { outcome: events[at++]?.outcome ?? { kind: 'stored' }, name: one.event.name }
      : { outcome: { kind: 'quarantined', reason: one.quarantined }, name: '' },
  )
}

export function readEvent(raw: Uint8Array, envelope: Envelope, assignedId: string) {
  let value: Json
  try {
    value = readJson(raw)
  } catch {
    return { quarantined: 'not_json' as const }
  }
  return normalise(value, envelope, assignedId)
}

async function away<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw new Away(what, error)
  }
}

const reasonOf = (outcome: Outcome): string => ('reason' in outcome ? (outcome.reason ?? '') : '')

/**
 * What is to be counted. An event that is replayed was received once: it moves from quarantined to what became of it now, and `replayed` stands for the
 * place in the journal that this took, so that every place is accounted for.
 */
function countsOf(entries: readonly Entry[]): OutcomeCount[] {
  const tally = tallyOf()
  for (const { envelope, outcome, again, raw } of entries) {
    if (outcome === undefined) continue
    const { sourceId, receivedMs, replay } = envelope
    const add = (kind: OutcomeCount['outcome'], reason: string, events: number) => {
      tally.add({ sourceId, receivedMs, outcome: kind, reason, events })
    }
    if (replay !== undefined) {
      add('replayed', again ? 'again' : '', 1)
      if (again) continue
      add('quarantined', replay.reason, -1)
    }
    if (raw.length > largeBytes && replay === undefined) add('large', '', 1)
    add(outcome.kind, reasonOf(outcome), 1)
  }
  return tally.take()
}
