import { Registry } from 'prom-client'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import { inSlices } from '../../../platform/clock/slices.ts'
import type { DedupIndex } from '../../../platform/journal/dedup-index.ts'
import type { Journal } from '../../../platform/journal/journal.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { Source, Sources } from '../../sources/server/index.ts'
import { isReject, type EventWay, type Ledger, type LedgerAlarm, type LedgerPage, type Outcome } from '../contract.ts'
import { createDoor } from './door.ts'
import type { Takes } from './endpoints.ts'
import { readWay, type Explainers, type Wanted } from './event-way.ts'
import { createFresh } from './fresh.ts'
import { replayEnvelope } from './replay-envelope.ts'
import { createInspector, type Inspector } from './inspector.ts'
import { lookAt, prepare, readBody } from './intake.ts'
import { readLedger } from './ledger.ts'
import { ledgerLines, readLedgerPage, receivedByHour, type LedgerChoice } from './ledger-page.ts'
import { createLedgerWatch } from './ledger-watch.ts'
import { createMetrics } from './metrics.ts'
import { forgetParked, parkedBodies, parkedKeys, takeFromShelf } from './parked.ts'
import { readOwn } from './own.ts'
import { arrivalsOf, countWaiting, createOnTheWay, hourOf } from './on-the-way.ts'
import { createPipeline, dedupKey, keyOfRecord, previewOf, type Listener, type PipelineStep } from './pipeline.ts'
import { typeOfPath } from './paths.ts'
import { nextChosen, readPutAside, type AsideRow, type Choice } from './put-aside.ts'
import { createRates } from './rates.ts'
import { decodeRecord, encodeEnvelope, encodeRecord } from './record.ts'
import { createRelayed, type RelayedBatch } from './relayed.ts'
import { forgetReplayed } from './replayed.ts'

export interface Collect extends Takes {
  /**
   * Takes events of our own producers (imports, message events, the demo company): bodies as a Segment SDK would send them,
   * each with a `type`, as plain values of JSON. Resolves when they are on disk; waits while the journal is busy, up to a minute.
   * @returns how many were accepted, how many put aside, and which (places in `events`)
   */
  accept(
    source: Pick<Source, 'id' | 'kind'>,
    events: readonly unknown[],
    via: string,
  ): Promise<{ accepted: number; quarantined: number; putAside: number[] }>
  /** Takes what another node acknowledged: on disk here when it resolves, and the same batch again changes nothing. @throws Refusal('busy') */
  takeRelayed(batch: RelayedBatch): Promise<void>
  /** What was received and what became of it. */
  ledger(): Promise<Ledger>
  /** What was received in a span of hours and what became of it, and whether the ledger adds up. */
  ledgerPage(choice: LedgerChoice): Promise<LedgerPage>
  /** The same as lines of CSV. */
  ledgerLines(choice: LedgerChoice, nameOf: (sourceId: string) => string): AsyncGenerator<string>
  /** Events a second of the last minute, and the fastest that they were stored since the start (undefined while no burst was large enough to tell). */
  rates(): { perSecond: number; storing: { perSecond: number; atMs: number } | undefined }
  /** How many events were received in each hour since an instant; hours in which none was are left out. */
  receivedByHour(fromMs: number): Promise<{ hourMs: number; events: number }[]>
  /** What is wrong with the ledger; undefined while everything adds up. Two looks, 30 seconds apart, make an alarm. */
  ledgerAlarm(): LedgerAlarm | undefined
  /** Begins to move events from the journal through the steps to the store; listeners hear of what was stored. */
  start(steps: readonly PipelineStep[], listeners?: readonly Listener[]): Promise<void>
  /** Ends after the batch in hand (or at once, when an engine is away); the journal keeps the rest. */
  stop(): Promise<void>
  /** Everything accepted so far is stored: tests, the demo company. @throws when the pipeline is not running */
  drained(): Promise<void>
  inspector: Inspector
  /** The record at a position, as long as the journal still has it. @throws Refusal('gone') */
  raw(position: bigint): Promise<{ raw: string; via: string; sourceId: string; receivedAt: string }>
  /** The whole way of one event, also when the journal does not keep it any more. @throws Refusal('gone') */
  way(wanted: Wanted): Promise<EventWay>
  /** Who is asked what became of an event after collect, in the order of the pipeline. */
  explain(explainers: Explainers): void
  quarantine(choice: Choice): ReturnType<typeof readPutAside>
  /** Rows of the quarantine, the earliest first, as `replay` and `preview` take them. */
  asideRows(limit: number): Promise<AsideRow[]>
  /** Takes rows of the quarantine in again: on disk when it resolves. The same row again changes nothing. */
  replay(replayId: string, rows: readonly AsideRow[]): Promise<void>
  /** What would become of rows of the quarantine now. Changes nothing. */
  preview(rows: readonly AsideRow[]): Promise<{ outcome: Outcome; name: string }[]>
  /** Where the journal is: what is put aside from now on is at or behind it. */
  here(): { journalId: string; position: bigint }
  parked(): ReturnType<typeof parkedKeys>
  /** Takes what is parked under a key into a source. */
  recover(caller: Caller, writeKey: string, sourceId: Id<'source'>): Promise<{ requests: number; events: number }>
  /** One line for /health/ready: whether events are accepted, and how many wait. */
  health(): { ok: boolean; finding: string; inFlight: number }
  /** Aborted when collect stops: streams end with it. */
  readonly stopping: AbortSignal
}

export interface CollectNeeds {
  postgres: Postgres
  clickhouse: ClickHouse
  journal: Journal
  index: DedupIndex
  sources: Pick<Sources, 'get'>
  audit: Pick<Audit, 'write'>
  clock: Clock
  log: Log
  /** Where metrics are collected; by default nowhere. */
  registry?: Registry
  /** A small batch waits so long for company. */
  lingerMs?: number
}

/** Large, because each costs four fsyncs (its seal, ClickHouse, the index, the cursor) whatever is in it. */
const batchLimit = { records: 10_000, bytes: 8 * 1024 * 1024 }
/** A batch below this waits a moment for company; one above is followed by the next at once. */
const smallBatch = 500

export function createCollect(needs: CollectNeeds): Collect {
  const { postgres, clickhouse, journal, index, clock, log } = needs
  const lingerMs = needs.lingerMs ?? 100
  const inspector = createInspector()
  const fresh = createFresh()
  const stopping = new AbortController()
  const onTheWay = createOnTheWay()
  const rates = createRates(clock)
  /** What came later is counted as it comes; what was there before is looked up. */
  const headAtFirst = journal.head
  const lastReceivedMs = new Map<string, number>()
  let countedTo = journal.stored
  let explainers: Explainers = { before: [], after: [] }
  let pipelineSteps: readonly PipelineStep[] = []
  let running: Promise<void> | undefined
  let progress = Promise.withResolvers<void>()
  const watch = createLedgerWatch({ postgres, clock, log, journal, onTheWay, countedTo: () => countedTo })
  const metrics = createMetrics(needs.registry ?? new Registry(), {
    inFlight: () => Number(journal.head - countedTo),
    pendingBytes: () => journal.state().pendingBytes,
    flushes: () => journal.state().flushes,
    ledger: { residue: () => watch.residue(), counts: () => watch.counts() },
  })

  const door = createDoor({
    postgres,
    journal,
    clock,
    log,
    metrics,
    appended(first, sourceId, receivedMs, prepared) {
      onTheWay.came([{ sourceId, hourMs: hourOf(receivedMs), events: prepared.records.length }])
      rates.came(prepared.records.length)
      lastReceivedMs.set(sourceId, receivedMs)
      fresh.keep(first, prepared.normalised)
      inspector.arrived(first, { sourceId: sourceId as Id<'source'>, receivedMs }, prepared.normalised)
    },
  })
  const relayed = createRelayed({
    postgres,
    journal,
    appended(envelopes) {
      onTheWay.came(arrivalsOf(envelopes))
      rates.came(envelopes.length)
      for (const { sourceId, receivedMs } of envelopes)
        lastReceivedMs.set(sourceId, Math.max(receivedMs, lastReceivedMs.get(sourceId) ?? 0))
      metrics.accepted.inc(envelopes.length)
    },
  })

  /**
   * The index is new, was lost, or its rebuilding was cut off: ClickHouse knows what it has. A row at or behind the stored
   * cursor's end is this journal's own when the journal has that very message there (the batch that was cut off between
   * ClickHouse and the index); any other was won before and stays won, whichever journal it came by.
   */
  async function rebuildIndex(): Promise<void> {
    if (await index.complete()) return
    const waiting = new Map<bigint, string>()
    const { stored } = journal
    const next = stored < journal.head ? await journal.read(stored, batchLimit.records) : []
    await inSlices(next, ({ position, payload }) => {
      const key = keyOfRecord(journal.id, position, payload)
      if (key !== undefined) waiting.set(position, key)
    })
    const all = clickhouse.stream<{ source_id: string; message_id: string; position: string }>(
      'SELECT source_id, message_id, toString(position) AS position FROM event',
      {},
      { seconds: 3600 },
    )
    let told = false
    for await (const rows of all) {
      if (!told) log.warn('The deduplication index is not complete; it is rebuilt from the store.')
      told = true
      await index.record(
        rows.map((row) => {
          const key = dedupKey(row.source_id, row.message_id)
          const own = waiting.get(BigInt(row.position))
          const isOwn = own === key
          return { key, position: isOwn ? BigInt(row.position) : undefined }
        }),
      )
    }
    await index.markComplete()
  }

  async function run(steps: readonly PipelineStep[], listeners: readonly Listener[]): Promise<void> {
    const pipeline = createPipeline(
      {
        postgres,
        clickhouse,
        journal,
        index,
        clock,
        log,
        inspector,
        metrics,
        known: (position) => fresh.take(position),
        counted(to, { arrivals, replays }) {
          if (to <= countedTo) return
          countedTo = to
          onTheWay.replays -= replays
          onTheWay.left(arrivals)
        },
        wrote(how, arrivals) {
          if (how === 'now') watch.wrote(arrivals)
          else if (how === 'unsure') watch.unsure()
        },
      },
      steps,
      listeners,
    )
    const nextBatch = async () => {
      const batch = await journal.nextBatch(batchLimit, 1000, stopping.signal)
      return batch === undefined ? undefined : pipeline.prepare(batch)
    }
    let coming: ReturnType<typeof nextBatch> | undefined
    while (!stopping.signal.aborted) {
      try {
        const prepared = await (coming ?? nextBatch())
        coming = undefined
        if (prepared === undefined) continue
        const few = prepared.batch.records.length < smallBatch
        if (!few) {
          // Read while this one is stored: the engine is another process, and the thread would be idle.
          coming = nextBatch()
          coming.catch(() => {})
        }
        const beganMs = clock.ms()
        await pipeline.handle(prepared, stopping.signal)
        if (!few) rates.stored(prepared.batch.records.length, clock.ms() - beganMs)
        progress.resolve()
        progress = Promise.withResolvers()
        if (few) await clock.sleep(lingerMs, stopping.signal)
      } catch (error) {
        coming = undefined
        if (stopping.signal.aborted) return
        log.error('The next batch could not be read.', error)
        await clock.sleep(1000, stopping.signal)
      }
    }
    await coming?.catch(() => {})
  }

  const failed = (error: unknown) => {
    log.warn('Old rows could not be deleted; it is tried again.', { error: String(error) })
  }
  const stops: (() => void)[] = []

  const collect: Collect = {
    inspector,
    stopping: stopping.signal,
    take: door.take,
    park: door.park,
    reject: door.reject,
    takeRelayed: relayed,
    async accept(source, events, via) {
      const putAside: number[] = []
      let at = 0
      for await (const read of readOwn(events)) {
        const receivedMs = clock.ms()
        const prepared = await prepare(read, source, { type: undefined, via, ip: '', receivedMs })
        await patiently(() => door.append(source.id, receivedMs, prepared))
        for (const { index } of prepared.quarantined) putAside.push(at + index)
        at += read.events.length
      }
      return { accepted: events.length - putAside.length, quarantined: putAside.length, putAside }
    },
    async ledger() {
      await door.flushRejected()
      return readLedger(postgres, {
        atMs: clock.ms(),
        inFlight: onTheWay.bySource(),
        lastReceivedMs,
        totalInFlight: Number(journal.head - countedTo) - onTheWay.replays,
      })
    },
    async ledgerPage(choice) {
      await door.flushRejected()
      const page = await readLedgerPage(postgres, choice, { atMs: clock.ms(), onTheWay: onTheWay.byHour() })
      return { ...page, alarm: watch.alarm() ?? null, lookedAt: watch.lookedAt() }
    },
    ledgerLines: (choice, nameOf) =>
      ledgerLines(postgres, choice, { atMs: clock.ms(), onTheWay: onTheWay.byHour() }, nameOf),
    rates: () => ({ perSecond: rates.perSecond(), storing: rates.fastest() }),
    receivedByHour: (fromMs) => receivedByHour(postgres, fromMs, onTheWay.byHour()),
    ledgerAlarm: () => watch.alarm(),
    async start(steps, listeners = []) {
      pipelineSteps = steps
      await rebuildIndex()
      await countWaiting(journal, headAtFirst, onTheWay)
      running = run(steps, listeners)
      stops.push(
        watch.start(),
        door.start(),
        clock.every(600_000, () => forgetParked(postgres, clock.ms()), failed),
        clock.every(3_600_000, () => forgetReplayed(postgres, new Date(clock.ms() - 100 * 86_400_000)), failed),
      )
    },
    async stop() {
      stopping.abort()
      for (const stop of stops) stop()
      await running
      await door.flushRejected().catch(failed)
    },
    async drained() {
      const { head } = journal
      while (journal.stored < head) {
        if (running === undefined || stopping.signal.aborted) throw new Error('The pipeline is not running.')
        await Promise.race([progress.promise, clock.sleep(1000)])
      }
    },
    way: (wanted) =>
      readWay(
        { clickhouse, journal, index, countedTo: () => countedTo, noted: (at) => inspector.at(at), explainers },
        wanted,
      ),
    explain(more) {
      explainers = more
    },
    async raw(position) {
      const [record] = position < journal.head ? await journal.read(position, 1).catch(() => []) : []
      if (record === undefined) throw new Refusal('gone', 'The journal does not keep this record any more.')
      const { envelope, event } = decodeRecord(record.payload)
      return {
        raw: Buffer.from(event).toString('utf8'),
        via: envelope.via,
        sourceId: envelope.sourceId,
        receivedAt: new Date(envelope.receivedMs).toISOString(),
      }
    },
    quarantine: (choice) => readPutAside(clickhouse, choice),
    asideRows: (limit) => nextChosen(clickhouse, {}, collect.here(), { journalId: '', position: -1n }, limit),
    async replay(replayId, rows) {
      if (rows.length === 0) return
      const records = rows.map((row) =>
        encodeRecord(encodeEnvelope(replayEnvelope(row, replayId)), Buffer.from(row.raw)),
      )
      await patiently(() => journal.append(records))
      onTheWay.replays += records.length
    },
    preview: (rows) =>
      previewOf(
        rows.map((row) => {
          const envelope = replayEnvelope(row, '')
          return { envelope, raw: Buffer.from(row.raw), assignedId: envelope.replay?.assignedId ?? '' }
        }),
        { index, steps: pipelineSteps },
      ),
    here: () => ({ journalId: journal.id, position: journal.head }),
    parked: () => parkedKeys(postgres, clock.ms()),
    async recover(caller, writeKey, sourceId) {
      const source = await needs.sources.get(sourceId)
      if (source === undefined) throw new Refusal('not_found', 'There is no such source.')
      const sum = { requests: 0, events: 0 }
      for (;;) {
        const bodies = await parkedBodies(postgres, writeKey, 50)
        if (bodies.length === 0) break
        for (const { path, body, receivedMs } of bodies) {
          const type = typeOfPath(path)
          const arrived = { body, type, via: `${path} (recovered)`, keys: [], ip: '', receivedMs }
          try {
            const read = await readBody(arrived, lookAt(arrived))
            const { records } = await patiently(() => collect.take(source, read, arrived))
            sum.events += records.length
          } catch (error) {
            // Nobody read it before: what turns out to be unreadable must not hold up the rest.
            if (!(error instanceof Refusal) || !isReject(error.code)) throw error
            collect.reject(source, error.code)
          }
        }
        sum.requests += bodies.length
        await takeFromShelf(
          postgres,
          bodies.map((body) => body.id),
        )
      }
      await postgres.transaction((tx) =>
        needs.audit.write(tx, {
          actor: actorOf(caller),
          deed: 'source.recovered',
          object: { kind: 'source', id: sourceId },
          summary: `Took parked requests into the source “${source.name}”`,
          facts: { requests: sum.requests, events: sum.events },
        }),
      )
      return sum
    },
    health() {
      const { trouble } = journal.state()
      const waiting = Number(journal.head - countedTo)
      const finding =
        trouble ?? (waiting === 0 ? 'Everything received is stored.' : `${waiting} events wait for the store.`)
      return { ok: trouble === undefined, finding, inFlight: waiting }
    },
  }

  /** For producers of our own, who would only try again themselves. */
  async function patiently<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let tries = 0; ; tries++) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'busy' || tries >= 60 || stopping.signal.aborted) throw error
        await clock.sleep(1000, stopping.signal)
      }
    }
  }
  return collect
}
