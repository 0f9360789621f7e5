import { createHash } from 'node:crypto'
import { applyMapping, MappingProblem, type Call } from '../../../lib/mapping/apply.ts'
import type { Mapping } from '../../../lib/mapping/mapping.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import {
  createPace,
  limits,
  lookAt,
  readBody,
  readJson,
  scan,
  unpack,
  type Collect,
} from '../../collect/server/index.ts'
import type { Source, Sources } from '../../sources/server/index.ts'
import { deliveryReasons, type Delivery, type DeliveryReason } from '../contract.ts'
import { keptHeaders, wayOf } from './schemes.ts'
import { hookStore, type Outcome, type StoredDelivery, type StoredHook } from './store.ts'

export interface ReceivingNeeds {
  postgres: Postgres
  clock: Clock
  log: Log
  sources: Pick<Sources, 'get'>
  collect: Pick<Collect, 'take'>
  /** The secrets of a hook, opened. */
  secretsOf(hook: StoredHook): string[]
}

/** What the sender is told. */
export interface Answer {
  outcome: Outcome['outcome']
  reason: DeliveryReason
  accepted: number
  quarantined: number
}

/** Levels and keys of a body; a mapping takes of it what it needs. */
const mostDepth = 64

/** A body as a value. @throws MappingProblem when it is no JSON, or none that is read here */
export function readDelivery(bytes: Buffer): unknown {
  const seen = scan(bytes)
  const deepest = Math.max(seen.depth, ...(seen.events ?? []).slice(0, limits.eventsPerRequest).map((one) => one.depth))
  if (deepest > mostDepth) throw new MappingProblem(`The body is nested more than ${mostDepth} levels deep.`)
  if (seen.allKeys > limits.bodyKeys) throw new MappingProblem('The body has too many keys.')
  try {
    return readJson(bytes)
  } catch (error) {
    if (error instanceof SyntaxError) throw new MappingProblem('The body is not JSON.')
    throw error
  }
}

/** The calls of a body under a mapping, each with an id. @throws MappingProblem */
export function mapDelivery(mapping: Mapping, bytes: Buffer, headers: Record<string, string>, key: string) {
  let mapped
  try {
    mapped = applyMapping(mapping, { body: readDelivery(bytes), headers })
  } catch (error) {
    if (error instanceof Refusal) throw new MappingProblem(error.message)
    throw error
  }
  const stem = createHash('sha256').update(key).digest('hex').slice(0, 24)
  const calls = mapped.calls.map((call, nth): Call => ({ messageId: `hook-${stem}-${String(nth)}`, ...call }))
  return { ...mapped, calls }
}

export function createReceiving(needs: ReceivingNeeds) {
  const { postgres, clock, log, sources, collect } = needs
  const store = hookStore(postgres)
  const pace = createPace()
  /** Counts that could not be written while the database was away; by hook, hour, outcome and reason, so it cannot grow without end. */
  const unwritten = new Map<string, Outcome & { hookId: string }>()

  function countLater(hookId: string, one: Outcome): void {
    const hour = one.atMs - (one.atMs % 3_600_000)
    const key = `${hookId} ${String(hour)} ${one.outcome} ${one.reason}`
    const sum = unwritten.get(key)
    if (sum === undefined) unwritten.set(key, { ...one, hookId })
    else {
      sum.deliveries += one.deliveries
      sum.calls += one.calls
    }
  }
  const counted = (outcome: Outcome['outcome'], reason: DeliveryReason, atMs: number, calls = 0): Outcome => ({
    outcome,
    reason,
    deliveries: 1,
    calls,
    atMs,
  })

  /** On disk when it resolves. @throws Refusal('busy') */
  async function handOn(source: Source, calls: readonly Call[], via: string, receivedMs: number) {
    if (calls.length === 0) return { accepted: 0, quarantined: 0 }
    const body = Buffer.from(JSON.stringify({ batch: calls }))
    const arrived = { body, type: undefined, via, keys: [], ip: '', receivedMs }
    const { records, quarantined } = await collect.take(source, await readBody(arrived, lookAt(arrived)), arrived)
    return { accepted: records.length - quarantined.length, quarantined: quarantined.length }
  }

  async function putAside(
    hook: StoredHook,
    one: Omit<StoredDelivery, 'id' | 'state' | 'calls' | 'because' | 'body'> & { body: Buffer },
    state: Exclude<Delivery['state'], 'taken'>,
    because: string,
  ): Promise<boolean> {
    const atMs = one.received_at.getTime()
    try {
      return await postgres.transaction(async (tx) => {
        const kept = await hookStore(tx).keep(hook.id, { ...one, state, because, calls: 0 })
        await hookStore(tx).count(hook.id, [
          kept ? counted('aside', state, atMs) : counted('rejected', 'no_room', atMs),
        ])
        return kept
      })
    } catch (error) {
      countLater(hook.id, counted('rejected', state, atMs))
      throw new Refusal('busy', 'It cannot be kept now: the database is away.', {
        retryAfterSeconds: 10,
        cause: String(error),
      })
    }
  }
  const answer = (outcome: Answer['outcome'], reason: DeliveryReason, accepted = 0, quarantined = 0): Answer => ({
    outcome,
    reason,
    accepted,
    quarantined,
  })
  const full = () => new Refusal('busy', deliveryReasons.no_room, { retryAfterSeconds: 3600 })
  async function reject(hook: StoredHook, reason: DeliveryReason): Promise<void> {
    const atMs = clock.ms()
    await store.count(hook.id, [counted('rejected', reason, atMs)]).catch(() => {
      countLater(hook.id, counted('rejected', reason, atMs))
    })
  }

  /**
   * Whether its source lets it in now, before anything of the body is read.
   * @throws Refusal('not_allowed') for a source that is off, Refusal('too_fast')
   */
  async function admit(hook: StoredHook): Promise<void> {
    const source = await sources.get(hook.source_id)
    const nowMs = clock.ms()
    if (source === undefined || !source.enabled) {
      await reject(hook, 'source_off')
      throw new Refusal('not_allowed', deliveryReasons.source_off)
    }
    const retryAfterSeconds = pace.waitSeconds(source, nowMs)
    if (retryAfterSeconds > 0) {
      await reject(hook, 'too_fast')
      throw new Refusal('too_fast', undefined, { retryAfterSeconds })
    }
    pace.spend(source, 1, nowMs)
  }

  return {
    admit,
    reject,
    /**
     * One call of the sender. What is answered with success is on disk: in the journal, or put aside.
     * @throws Refusal `bad_signature` (put aside all the same), `busy` when it is neither here nor there: the sender sends again
     */
    async receive(hook: StoredHook, raw: Buffer, allHeaders: Record<string, string>): Promise<Answer> {
      const atMs = clock.ms()
      const headers = keptHeaders(hook.scheme, allHeaders)
      const way = wayOf(hook.scheme)
      const signed = { headers: allHeaders, raw, atMs }
      const key = (way.key(signed) ?? `sha256:${createHash('sha256').update(raw).digest('hex')}`).slice(0, 300)
      const one = { key, topic: '', headers, body: raw, received_at: new Date(atMs) }
      if (way.isPing?.(signed) === true) {
        await store.count(hook.id, [counted('unchanged', 'ping', atMs)]).catch(() => {
          countLater(hook.id, counted('unchanged', 'ping', atMs))
        })
        return answer('unchanged', 'ping')
      }
      if (!way.verify(signed, needs.secretsOf(hook))) {
        await putAside(hook, one, 'unverified', deliveryReasons.unverified)
        throw new Refusal('bad_signature')
      }
      // Of a database that is away nothing is asked: the message ids keep one event one event.
      if (await store.wasTaken(hook.id, key).catch(() => false)) {
        await store.count(hook.id, [counted('unchanged', 'same_again', atMs)]).catch(() => {
          countLater(hook.id, counted('unchanged', 'same_again', atMs))
        })
        return answer('unchanged', 'same_again')
      }
      let bytes: Buffer
      let mapped
      try {
        bytes = await unpack(raw, headers['content-encoding'])
        mapped = mapDelivery(hook.mapping, bytes, headers, key)
      } catch (error) {
        if (!(error instanceof MappingProblem) && !(error instanceof Refusal)) throw error
        // It is genuine, and no second try would read better: it is ours to keep until the mapping fits.
        if (!(await putAside(hook, one, 'unreadable', error.message))) throw full()
        return answer('aside', 'unreadable')
      }
      const { topic, calls, known } = mapped
      if (!known) {
        if (!(await putAside(hook, { ...one, topic }, 'unmapped', deliveryReasons.unmapped))) throw full()
        return answer('aside', 'unmapped')
      }
      let handed
      try {
        const source = await sources.get(hook.source_id)
        if (source === undefined) throw new Refusal('not_allowed', deliveryReasons.source_off)
        handed = await handOn(source, calls, `/hooks/${hook.id}`, atMs)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        if (error.code !== 'busy') {
          if (!(await putAside(hook, { ...one, topic }, 'unreadable', error.message))) throw full()
          return answer('aside', 'unreadable')
        }
        if (way.sendsAgain) throw error
        if (!(await putAside(hook, { ...one, topic }, 'waiting', deliveryReasons.waiting))) throw full()
        return answer('aside', 'waiting')
      }
      const reason = calls.length === 0 ? 'nothing_to_say' : 'mapped'
      const outcome = counted(calls.length === 0 ? 'unchanged' : 'taken', reason, atMs, calls.length)
      await postgres
        .transaction(async (tx) => {
          const fresh = await hookStore(tx).keep(hook.id, {
            ...one,
            topic,
            state: 'taken',
            because: calls.length === 0 ? deliveryReasons.nothing_to_say : null,
            calls: calls.length,
          })
          await hookStore(tx).count(hook.id, [fresh ? outcome : counted('unchanged', 'same_again', atMs)])
        })
        .catch((error: unknown) => {
          // The events are in the journal; only the note about them waits.
          log.warn('A delivery could not be noted; it is counted later.', { error: String(error) })
          countLater(hook.id, outcome)
        })
      return answer(outcome.outcome, reason, handed.accepted, handed.quarantined)
    },

    /**
     * Checks and maps again what is put aside, oldest first. What passes goes in as of when it came.
     * @param states which of them; what was not verified is verified with the secrets of today
     * @throws Refusal('busy') when the journal takes nothing now; what went in until then is in
     */
    async replay(hook: StoredHook, states: readonly Delivery['state'][]): Promise<{ looked: number; taken: number }> {
      const source = await sources.get(hook.source_id)
      if (source === undefined || !source.enabled) throw new Refusal('not_now', 'Its source is switched off.')
      const sum = { looked: 0, taken: 0 }
      for (let after = '0'; ;) {
        const some = await store.aside(hook.id, states, after, 50)
        if (some.length === 0) return sum
        for (const one of some) {
          after = one.id
          sum.looked += 1
          if (await again(hook, source, one)) sum.taken += 1
        }
      }
    },

    async writeCounts(): Promise<void> {
      for (const [key, { hookId, ...one }] of unwritten) {
        unwritten.delete(key)
        try {
          await store.count(hookId, [one])
        } catch (error) {
          countLater(hookId, one)
          throw error
        }
      }
    },
  }

  /** It stays aside, for another reason. */
  async function restate(hook: StoredHook, one: StoredDelivery, state: 'unreadable' | 'unmapped', because: string) {
    const atMs = one.received_at.getTime()
    await postgres.transaction(async (tx) => {
      await hookStore(tx).restate(one.id, state, because)
      if (one.state !== state)
        await hookStore(tx).count(hook.id, [
          { outcome: 'aside', reason: one.state, deliveries: -1, calls: 0, atMs },
          counted('aside', state, atMs),
        ])
    })
  }

  async function again(hook: StoredHook, source: Source, one: StoredDelivery): Promise<boolean> {
    if (one.body === null) return false
    const atMs = one.received_at.getTime()
    if (one.state === 'unverified') {
      if (!wayOf(hook.scheme).verify({ headers: one.headers, raw: one.body, atMs }, needs.secretsOf(hook))) return false
    }
    let mapped
    try {
      mapped = mapDelivery(hook.mapping, await unpack(one.body, one.headers['content-encoding']), one.headers, one.key)
    } catch (error) {
      if (!(error instanceof MappingProblem) && !(error instanceof Refusal)) throw error
      await restate(hook, one, 'unreadable', error.message)
      return false
    }
    if (!mapped.known) {
      await restate(hook, one, 'unmapped', deliveryReasons.unmapped)
      return false
    }
    await handOn(source, mapped.calls, `/hooks/${hook.id} (again)`, atMs)
    const moved = (to: Outcome): Outcome[] => [
      { outcome: 'aside', reason: one.state, deliveries: -1, calls: 0, atMs },
      to,
    ]
    return postgres.transaction(async (tx) => {
      const said = mapped.calls.length
      if (await hookStore(tx).tookAside(one.id, said, mapped.topic)) {
        await hookStore(tx).count(
          hook.id,
          moved(said === 0 ? counted('unchanged', 'nothing_to_say', atMs) : counted('taken', 'mapped', atMs, said)),
        )
        return said > 0
      }
      if (await hookStore(tx).forgetOne(one.id))
        await hookStore(tx).count(hook.id, moved(counted('unchanged', 'same_again', atMs)))
      return false
    })
  }
}
