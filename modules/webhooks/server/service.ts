import { Registry } from 'prom-client'
import type { Id } from '../../../lib/ids/ids.ts'
import type { Mapping } from '../../../lib/mapping/mapping.ts'
import { MappingProblem } from '../../../lib/mapping/apply.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import { freshnessOf } from '../../../lib/schedule/freshness.ts'
import { addFreshnessMetrics } from '../../../platform/freshness/metrics.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { Secrets } from '../../../platform/secrets/secrets.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import { unpack } from '../../collect/server/index.ts'
import type { Delivery, Hook, HookCounts, PresetName, Previewed, Scheme } from '../contract.ts'
import { addHookMetrics } from './metrics.ts'
import { presetMapping } from './presets/index.ts'
import { createReceiving, mapDelivery, type Answer, type ReceivingNeeds } from './receiving.ts'
import { hookStore, type StoredHook } from './store.ts'

export interface Webhooks {
  /** Reads the hooks into memory, and again whenever another server changed one. */
  start(): Promise<void>
  stop(): void
  list(): Promise<Hook[]>
  get(id: Id<'hook'>): Promise<Hook>
  create(
    caller: Caller,
    wanted: { name: string; sourceId: Id<'source'>; scheme: Scheme; secret?: string | undefined; preset: PresetName },
  ): Promise<Hook>
  change(
    caller: Caller,
    id: Id<'hook'>,
    change: { name?: string | undefined; scheme?: Scheme | undefined; promiseHours?: number | null | undefined },
  ): Promise<Hook>
  /** A new secret; the one before stays good, an older one is forgotten. */
  giveSecret(caller: Caller, id: Id<'hook'>, secret: string): Promise<Hook>
  dropSecret(caller: Caller, id: Id<'hook'>): Promise<Hook>
  map(caller: Caller, id: Id<'hook'>, mapping: Mapping): Promise<Hook>
  versions(id: Id<'hook'>): Promise<{ version: number; mapping: Mapping; by: string; at: string }[]>
  deliveries(id: Id<'hook'>): Promise<Delivery[]>
  /** What a mapping makes of the last bodies; nothing is stored. */
  preview(id: Id<'hook'>, mapping: Mapping): Promise<Previewed[]>
  replay(caller: Caller, id: Id<'hook'>): Promise<{ looked: number; taken: number }>
  remove(caller: Caller, id: Id<'hook'>): Promise<void>
  /** From memory, then from the database. @throws Refusal('busy') while neither can say */
  find(id: string): Promise<StoredHook | undefined>
  /** @throws Refusal when its source lets nothing in now */
  admit(hook: StoredHook): Promise<void>
  reject: ReturnType<typeof createReceiving>['reject']
  /** See `createReceiving`. */
  receive(hook: StoredHook, raw: Buffer, headers: Record<string, string>): Promise<Answer>
}

export interface WebhookNeeds extends Omit<ReceivingNeeds, 'secretsOf'> {
  ids: Ids
  secrets: Secrets
  audit: Pick<Audit, 'write'>
  /** Where the outside reaches us. */
  publicUrl: () => string
  registry?: Registry
}

const reloadEveryMs = 5000
const tendEveryMs = 10_000
const forgetEveryMs = 600_000
const previewed = 8
const longestShown = 20_000
const secretPlace = (id: string) => `webhooks.hook|${id}|secret`

export function createWebhooks(needs: WebhookNeeds): Webhooks {
  const { postgres, clock, log, ids, secrets, audit, sources } = needs
  const store = hookStore(postgres)
  const receiving = createReceiving({
    ...needs,
    secretsOf: (hook) => hook.secrets.map(({ sealed }) => secrets.open(sealed, secretPlace(hook.id))),
  })
  let byId = new Map<string, StoredHook>()
  let version: string | undefined
  const stops: (() => void)[] = []

  async function reload(): Promise<void> {
    const now = await store.changed()
    if (now === version) return
    byId = new Map((await store.list()).map((hook) => [hook.id, hook]))
    version = now
  }

  async function need(id: Id<'hook'>, db: Postgres = postgres, forUpdate = false): Promise<StoredHook> {
    const hook = await hookStore(db).get(id, forUpdate)
    if (hook === undefined) throw new Refusal('not_found', 'There is no such webhook.')
    return hook
  }

  async function show(hooks: readonly StoredHook[]): Promise<Hook[]> {
    const of = hooks.map((hook) => hook.id)
    const [counts, latest] = await Promise.all([store.counts(of), store.latest(of)])
    return Promise.all(
      hooks.map(async (hook) => {
        const last = latest.find((row) => row.hook_id === hook.id)
        const freshAt = last?.fresh_at ?? null
        return {
          id: hook.id,
          name: hook.name,
          sourceId: hook.source_id,
          sourceName: (await sources.get(hook.source_id))?.name ?? 'a source that is gone',
          url: `${needs.publicUrl()}/hooks/${hook.id}`,
          scheme: hook.scheme,
          secrets: hook.secrets.map(({ since }) => ({ since })),
          mapping: hook.mapping,
          version: hook.version,
          counts: sumOf(counts.filter((row) => row.hook_id === hook.id)),
          waitingAside: Number(last?.aside ?? 0),
          freshness: freshnessOf({ freshAt, createdAt: hook.created_at, promiseHours: hook.promise_hours }, clock.ms()),
          createdAt: hook.created_at.toISOString(),
          createdBy: hook.created_by,
        }
      }),
    )
  }
  async function shown(id: Id<'hook'>): Promise<Hook> {
    const [hook] = await show([await need(id)])
    if (hook === undefined) throw new Refusal('not_found', 'There is no such webhook.')
    return hook
  }

  /** Changes one in a transaction with its line in the audit log; in memory after the commit. */
  async function change(
    caller: Caller,
    id: Id<'hook'>,
    deed: string,
    summary: (hook: StoredHook) => string,
    work: (hook: StoredHook, tx: Postgres) => StoredHook | Promise<StoredHook>,
  ): Promise<Hook> {
    await postgres.transaction(async (tx) => {
      const after = await work(await need(id, tx, true), tx)
      await hookStore(tx).put(after, clock.now())
      await audit.write(tx, {
        actor: actorOf(caller),
        deed,
        object: { kind: 'hook', id },
        summary: summary(after),
        facts: { version: after.version, scheme: after.scheme.kind, promiseHours: after.promise_hours },
      })
      tx.afterCommit(() => byId.set(id, after))
    })
    return shown(id)
  }
  function refuseWithoutSecret(scheme: Scheme, has: boolean): void {
    if (scheme.kind !== 'none' && !has)
      throw new Refusal('bad_input', 'Say the secret with which the sender signs, or say that anybody may send.')
  }

  const registry = needs.registry ?? new Registry()
  const everyHook = async () => show(await store.list())
  addHookMetrics(registry, everyHook)
  addFreshnessMetrics(
    registry,
    'webhook',
    () => clock.ms(),
    async () => (await everyHook()).map(({ name, freshness }) => ({ name, ...freshness })),
  )

  return {
    async start() {
      await reload()
      const failed = (error: unknown) => {
        log.warn('webhooks could not be looked after; it is tried again', { error: String(error) })
      }
      stops.push(
        clock.every(reloadEveryMs, reload, failed),
        clock.every(
          tendEveryMs,
          async () => {
            await receiving.writeCounts()
            for (const { hook_id } of await store.waitingHooks()) {
              const hook = await store.get(hook_id)
              if (hook !== undefined) await receiving.replay(hook, ['waiting'])
            }
          },
          failed,
        ),
        clock.every(forgetEveryMs, () => store.forget(clock.ms()), failed),
      )
    },
    stop() {
      for (const stop of stops.splice(0)) stop()
    },
    list: async () => show(await store.list()),
    get: shown,
    async create(caller, { name, sourceId, scheme, secret, preset }) {
      const source = await sources.get(sourceId)
      if (source === undefined || source.kind === 'internal') throw new Refusal('not_found', 'There is no such source.')
      refuseWithoutSecret(scheme, secret !== undefined)
      const id = ids.next('hook')
      const at = clock.now()
      const hook: StoredHook = {
        id,
        source_id: sourceId,
        name,
        scheme,
        secrets:
          secret === undefined ? [] : [{ sealed: secrets.seal(secret, secretPlace(id)), since: at.toISOString() }],
        mapping: presetMapping(preset),
        version: 1,
        promise_hours: null,
        created_by: caller.name,
        created_at: at,
      }
      await postgres.transaction(async (tx) => {
        if (!(await hookStore(tx).insert(hook)))
          throw new Refusal('conflict', `There is a webhook named “${name}” already.`)
        await hookStore(tx).addVersion(hook, caller.name, at)
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'hook.created',
          object: { kind: 'hook', id },
          summary: `Opened the webhook “${name}” into “${source.name}”`,
          facts: { source: sourceId, scheme: scheme.kind, preset },
        })
        tx.afterCommit(() => byId.set(id, hook))
      })
      return shown(id)
    },
    change: (caller, id, { name, scheme, promiseHours }) =>
      change(
        caller,
        id,
        'hook.changed',
        (hook) => `Changed the webhook “${hook.name}”`,
        async (hook, tx) => {
          if (name !== undefined && (await hookStore(tx).nameTaken(name, id)))
            throw new Refusal('conflict', `There is a webhook named “${name}” already.`)
          const after = { ...hook, name: name ?? hook.name, scheme: scheme ?? hook.scheme }
          refuseWithoutSecret(after.scheme, after.secrets.length > 0)
          return { ...after, promise_hours: promiseHours === undefined ? hook.promise_hours : promiseHours }
        },
      ),
    giveSecret: (caller, id, secret) =>
      change(
        caller,
        id,
        'hook.secret_given',
        (hook) => `Gave the webhook “${hook.name}” a new secret; the one before stays good until it is dropped`,
        (hook) => ({
          ...hook,
          secrets: [
            { sealed: secrets.seal(secret, secretPlace(id)), since: clock.now().toISOString() },
            ...hook.secrets,
          ].slice(0, 2),
        }),
      ),
    dropSecret: (caller, id) =>
      change(
        caller,
        id,
        'hook.secret_dropped',
        (hook) => `Forgot the older secret of the webhook “${hook.name}”`,
        (hook) => {
          if (hook.secrets.length < 2) throw new Refusal('not_now', 'There is only one secret.')
          return { ...hook, secrets: hook.secrets.slice(0, 1) }
        },
      ),
    map: (caller, id, mapping) =>
      change(
        caller,
        id,
        'hook.mapped',
        (hook) => `Kept version ${String(hook.version)} of the mapping of “${hook.name}”`,
        async (hook, tx) => {
          const after = { ...hook, mapping, version: hook.version + 1 }
          await hookStore(tx).addVersion(after, caller.name, clock.now())
          return after
        },
      ),
    async versions(id) {
      await need(id)
      return (await store.versions(id)).map((row) => ({
        version: row.version,
        mapping: row.mapping,
        by: row.made_by,
        at: row.made_at.toISOString(),
      }))
    },
    async deliveries(id) {
      await need(id)
      return (await store.deliveries(id, 50)).map((row) => ({
        id: row.id,
        topic: row.topic,
        state: row.state,
        because: row.because,
        calls: row.calls,
        receivedAt: row.received_at.toISOString(),
      }))
    },
    async preview(id, mapping) {
      await need(id)
      const bodies = await store.bodies(id, previewed)
      return Promise.all(
        bodies.map(async ({ id: delivery, topic, received_at, body, headers, key }) => {
          const shape = { id: delivery, receivedAt: received_at.toISOString() }
          let text = ''
          try {
            const bytes = await unpack(body ?? Buffer.alloc(0), headers['content-encoding'])
            text = bytes.toString('utf8').slice(0, longestShown)
            const mapped = mapDelivery(mapping, bytes, headers, key)
            const problem = mapped.known ? null : 'No rule speaks of it.'
            return { ...shape, topic: mapped.topic, body: text, calls: mapped.calls, problem }
          } catch (error) {
            if (!(error instanceof MappingProblem) && !(error instanceof Refusal)) throw error
            return { ...shape, topic, body: text, calls: [], problem: error.message }
          }
        }),
      )
    },
    async replay(caller, id) {
      const hook = await need(id)
      const sum = await receiving.replay(hook, ['unverified', 'unmapped', 'unreadable', 'waiting'])
      await postgres.transaction((tx) =>
        audit.write(tx, {
          actor: actorOf(caller),
          deed: 'hook.replayed',
          object: { kind: 'hook', id },
          summary: `Looked again at what “${hook.name}” had put aside`,
          facts: sum,
        }),
      )
      return sum
    },
    async remove(caller, id) {
      await postgres.transaction(async (tx) => {
        const hook = await need(id, tx, true)
        await hookStore(tx).remove(id)
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'hook.removed',
          object: { kind: 'hook', id },
          summary: `Closed the webhook “${hook.name}” and forgot its secrets`,
          facts: {},
        })
        tx.afterCommit(() => byId.delete(id))
      })
    },
    async find(id) {
      const known = byId.get(id)
      if (known !== undefined) return known
      try {
        return await store.get(id)
      } catch (error) {
        throw new Refusal('busy', 'The address cannot be checked now: the database is away.', {
          retryAfterSeconds: 5,
          cause: error instanceof Error ? error.name : 'unknown',
        })
      }
    },
    admit: receiving.admit,
    reject: receiving.reject,
    receive: receiving.receive,
  }
}

function sumOf(
  rows: readonly {
    outcome: keyof Pick<HookCounts, 'taken' | 'unchanged' | 'aside' | 'rejected'>
    reason: string
    deliveries: string
    calls: string
  }[],
): HookCounts {
  const sum: HookCounts = { received: 0, taken: 0, unchanged: 0, aside: 0, rejected: 0, calls: 0, reasons: [] }
  for (const row of rows) {
    const deliveries = Number(row.deliveries)
    sum[row.outcome] += deliveries
    sum.received += deliveries
    sum.calls += Number(row.calls)
    sum.reasons.push({ outcome: row.outcome, reason: row.reason, deliveries })
  }
  return sum
}
