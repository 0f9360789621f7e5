import { isAbsolute, join, normalize, sep } from 'node:path'
import type { Registry } from 'prom-client'
import type { z } from 'zod'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Egress } from '../../../platform/egress/egress.ts'
import { createFolder, type Folder } from '../../../platform/files/folder.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids, Random } from '../../../platform/random/random.ts'
import type { Secrets } from '../../../platform/secrets/secrets.ts'
import type { Actor } from '../../audit/contract.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { Explainer, Listener } from '../../collect/server/index.ts'
import type { Requests } from '../../requests/server/index.ts'
import type { Sources } from '../../sources/server/index.ts'
import type { Tools } from '../../tools/server/index.ts'
import type {
  Contract,
  DeadLetter,
  Destination,
  DestinationChange,
  DestinationDetail,
  Kind,
  Known,
  NewDestination,
  Settings,
} from '../contract.ts'
import type { Patience } from './backoff.ts'
import { createDelivery } from './delivery.ts'
import { explainEvent } from './event-way.ts'
import { integrationKind, type IntegrationNeeds } from './integration.ts'
import { kindNamed, kinds } from './kinds/index.ts'
import type { Deliverer, DestinationKind } from './kinds/kind.ts'
import { readKnown } from './known.ts'
import { ledger } from './ledger.ts'
import { waitingFrom } from './outgoing.ts'
import { nested } from './projection.ts'
import { rehearsalOf } from './rehearsal.ts'
import { readSettings } from './settings.ts'
import { destinationStore, type DestinationRow, type SealedSecrets } from './store.ts'
import { viewOf } from './view.ts'

export interface Destinations {
  kinds(): Kind[]
  known(): Promise<Known>
  list(caller: Caller): Promise<Destination[]>
  get(caller: Caller, id: Id<'destination'>): Promise<DestinationDetail>
  /** Its secrets that were made here are in the answer, this once. */
  create(
    caller: Caller,
    given: z.output<typeof NewDestination>,
  ): Promise<Destination & { made: Record<string, string> }>
  /** A changed address or contract voids keys and stops delivery before the next one leaves. */
  change(caller: Caller, id: Id<'destination'>, given: z.output<typeof DestinationChange>): Promise<Destination>
  rotate(caller: Caller, id: Id<'destination'>, name: string): Promise<{ secret: string; olderUntil: string | null }>
  pause(caller: Caller, id: Id<'destination'>): Promise<Destination>
  resume(caller: Caller, id: Id<'destination'>): Promise<Destination>
  test(caller: Caller, id: Id<'destination'>): Promise<{ ok: boolean; says: string; sent: unknown }>
  deadLetters(id: Id<'destination'>, before?: string): Promise<{ letters: DeadLetter[]; next: string | null }>
  replay(caller: Caller, id: Id<'destination'>, letters: readonly string[] | null): Promise<number>
  /** Keeps what destinations want, as it is stored. */
  listener: Listener
  /** Where one event was sent on to, and what of it stayed here. */
  explainEvent: Explainer
  /** Counts and lets go of what waited too long; every ten minutes by itself. */
  sweep(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

export interface DestinationNeeds {
  postgres: Postgres
  clickhouse: ClickHouse
  clock: Clock
  random: Random
  ids: Ids
  log: Log
  registry: Registry
  secrets: Secrets
  audit: Audit
  requests: Requests
  tools: Tools
  sources: Pick<Sources, 'peek'>
  egress: Pick<Egress, 'send' | 'open' | 'lookUp'>
  fields: IntegrationNeeds['fields']
  people: IntegrationNeeds['people']
  /** Where relative export folders are made. */
  exportsDirectory: string
  /** Absolute folders that the administrator allowed. */
  exportFolders: readonly string[]
  patience?: Patience
}

/** How long a signing secret still signs after a newer one was made. */
const overlapMs = 24 * 3_600_000

/** Destinations: made and changed here, let go by a request alone, delivered to by workers of their own. */
export function createDestinations(needs: DestinationNeeds): Destinations {
  const { postgres, clickhouse, clock, ids, audit, secrets, requests, tools } = needs
  const place = (id: string, name: string) => `destinations.destination|${id}|secrets.${name}`

  const delivery = createDelivery({
    ...needs,
    open: ({ row }) => ({ kind: kindOf(row.kind), deliverer: open(row) }),
    pause: (id, because) => pauseAs({ kind: 'system', id: 'destinations' }, id, because).then(() => undefined),
  })
  const { clearances } = delivery
  requests.register(
    integrationKind({
      ...needs,
      stopped: (tx, id) => {
        tx.afterCommit(() => {
          clearances.deny(id)
        })
      },
      launched: (tx) => {
        tx.afterCommit(soon)
      },
    }),
  )
  /** What changed counts at once here; if the database is away just now, within seconds. */
  function soon(): void {
    clearances.compile().catch(() => undefined)
  }

  function kindOf(name: string): DestinationKind {
    const kind = kindNamed(name)
    if (kind === undefined) throw new Refusal('bad_input', `Events cannot be sent to a “${name}”.`)
    return kind
  }
  function folder(path: string): Folder {
    if (!isAbsolute(path)) {
      if (!/^[A-Za-z0-9_][\w.-]{0,80}(\/[A-Za-z0-9_][\w.-]{0,80}){0,5}$/.test(path))
        throw new Refusal('bad_input', 'A folder has letters, digits, “_”, “.”, “-”, and “/” between.')
      return createFolder(join(needs.exportsDirectory, path))
    }
    const clean = normalize(path)
    const inside = needs.exportFolders.some((one) => {
      const root = normalize(one)
      return clean === root || clean.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)
    })
    if (!inside)
      throw new Refusal(
        'bad_input',
        'This folder is not allowed. An administrator allows it with INTERLOCK_EXPORT_FOLDERS.',
      )
    return createFolder(clean)
  }
  const inForce = (row: DestinationRow, name: string): string[] =>
    (row.secrets[name] ?? [])
      .filter((one) => one.until === null || Date.parse(one.until) > clock.ms())
      .map((one) => secrets.open(one.sealed, place(row.id, name)))
  const open = (row: DestinationRow): Deliverer =>
    kindOf(row.kind).open({
      destinationId: row.id,
      settings: row.settings,
      frequency: row.contract.frequency,
      secret: (name) => inForce(row, name),
      egress: needs.egress,
      folder,
      clock,
      random: needs.random,
    })

  /** What it refers to must exist and fit now, so that nobody meets it first at launch. */
  function check(kind: DestinationKind, settings: Settings, given: Settings, contract: Contract): void {
    if (!kind.frequencies.includes(contract.frequency))
      throw new Refusal('bad_input', `“${kind.name}” cannot be sent to at this frequency.`)
    for (const id of contract.sources)
      if (needs.sources.peek(id) === undefined) throw new Refusal('bad_input', 'There is no such source.')
    if (new Set(contract.fields).size !== contract.fields.length)
      throw new Refusal('bad_input', 'A field is named twice.')
    kind.check({ ...given, ...settings }, folder, contract.fields)
  }
  /** The newest first; one of those that sign is followed by the one before for a day. */
  function withSecret(id: string, before: SealedSecrets, name: string, value: string, overlap: boolean): SealedSecrets {
    const until = new Date(clock.ms() + overlapMs).toISOString()
    const older = overlap ? (before[name] ?? []).slice(0, 1).map((one) => ({ ...one, until })) : []
    return { ...before, [name]: [{ sealed: secrets.seal(value, place(id, name)), until: null }, ...older] }
  }
  const write = (tx: Postgres, actor: Actor, id: string, deed: string, summary: string) =>
    audit.write(tx, { actor, deed: `destination.${deed}`, object: { kind: 'destination', id }, summary })
  async function need(tx: Postgres, id: string, lock = false): Promise<DestinationRow> {
    const row = await (lock ? destinationStore(tx).lock(id) : destinationStore(tx).get(id))
    if (row === undefined) throw new Refusal('not_found', 'There is no such destination.')
    return row
  }
  async function pauseAs(actor: Actor, id: string, because: string): Promise<boolean> {
    return postgres.transaction(async (tx) => {
      if (!(await destinationStore(tx).move(id, ['live'], 'paused', because))) return false
      await write(tx, actor, id, 'paused', 'paused a destination')
      tx.afterCommit(() => {
        clearances.deny(id)
      })
      return true
    })
  }

  async function show(caller: Caller, row: DestinationRow): Promise<Destination> {
    const [tool, dead, dropped, cursors, journals, asked] = await Promise.all([
      tools.get(postgres, row.tool_id),
      ledger(postgres).deadLetters(row.id),
      ledger(postgres).dropped(row.id),
      ledger(postgres).cursors(row.id),
      row.begins_at === null ? [] : delivery.journalIds(),
      requests.list(caller, row.id),
    ])
    // The newest first.
    const request = asked.find((one) => one.kind === 'integration' && one.objectId === row.id)
    let waiting = 0
    let oldestMs: number | undefined
    for (const journalId of journals) {
      const one = await waitingFrom(clickhouse, {
        journalId,
        from: cursors.get(journalId) ?? 0,
        contract: row.contract,
        beginsMs: row.begins_at?.getTime() ?? 0,
      })
      waiting += one.events
      if (one.events > 0) oldestMs = Math.min(oldestMs ?? one.oldestMs, one.oldestMs)
    }
    return viewOf(row, {
      tool,
      waiting,
      oldestMs,
      dead,
      dropped: dropped.reduce((sum, one) => sum + one.events, 0),
      request:
        request === undefined
          ? null
          : {
              id: request.id,
              state: request.state,
              sentence: request.sentence,
              lane: request.lane,
              waitingFor: request.waitingFor,
            },
      nowMs: clock.ms(),
    })
  }
  const one = async (caller: Caller, id: string) => show(caller, await need(postgres, id))

  return {
    listener: delivery.listener,
    explainEvent: explainEvent(postgres),
    sweep: () => delivery.sweep(),
    kinds: () =>
      kinds.map(({ kind, name, says, leaves, frequencies, form }) => ({ kind, name, says, leaves, frequencies, form })),
    known: () => readKnown(clickhouse, clock),
    list: async (caller) => Promise.all((await destinationStore(postgres).list()).map((row) => show(caller, row))),
    async get(caller, id) {
      const row = await need(postgres, id)
      const stored = ledger(postgres)
      const [shown, dropped, hours, failures] = await Promise.all([
        show(caller, row),
        stored.dropped(id),
        stored.hours(id, clock.now()),
        stored.failures(id),
      ])
      return {
        ...shown,
        dropped: dropped.map((each) => ({
          field: each.field,
          events: each.events,
          lastAt: each.last_at.toISOString(),
        })),
        hours: hours.map((each) => ({ ...each, hour: each.hour.toISOString() })),
        failures: failures.map((each) => ({
          reason: each.reason,
          times: each.times,
          lastAt: each.last_at.toISOString(),
        })),
      }
    },
    async create(caller, given) {
      const kind = kindOf(given.kind)
      const { settings, secrets: handed } = readSettings(kind, given.settings)
      check(kind, settings, given.settings, given.contract)
      const id = ids.next('destination')
      const made: Record<string, string> = {}
      const { makeSecret } = kind
      if (makeSecret !== undefined && !handed.has(makeSecret.name)) {
        made[makeSecret.name] = makeSecret.make(needs.random)
        handed.set(makeSecret.name, made[makeSecret.name] ?? '')
      }
      let sealed: SealedSecrets = {}
      for (const [name, value] of handed) sealed = withSecret(id, sealed, name, value, false)
      await postgres.transaction(async (tx) => {
        if (await destinationStore(tx).nameTaken(given.name, id))
          throw new Refusal('conflict', `There is a destination named “${given.name}” already.`)
        if (given.toolId !== null && (await tools.get(tx, given.toolId)) === undefined)
          throw new Refusal('bad_input', 'There is no such tool.')
        const toolId =
          given.toolId ??
          (await tools.createAs(tx, actorOf(caller), {
            name: given.name,
            vendor: kind.name,
            capability: 'Run & Finance',
            personalFields: given.contract.fields,
            region: 'EU',
            ownerMarketing: null,
            ownerIt: null,
            endsOn: null,
            costMinor: null,
            status: 'live',
          }))
        await destinationStore(tx).insert(
          {
            id,
            name: given.name,
            kind: kind.kind,
            tool_id: toolId,
            settings,
            secrets: sealed,
            contract: given.contract,
          },
          caller.accountId,
          clock.now(),
        )
        await write(tx, actorOf(caller), id, 'created', `made the destination “${given.name}”`)
      })
      return { ...(await one(caller, id)), made }
    },
    async change(caller, id, given) {
      await postgres.transaction(async (tx) => {
        const row = await need(tx, id, true)
        const kind = kindOf(row.kind)
        const contract = given.contract ?? row.contract
        const read =
          given.settings === undefined
            ? { settings: row.settings, secrets: new Map<string, string>() }
            : readSettings(kind, given.settings)
        check(kind, read.settings, given.settings ?? {}, contract)
        const name = given.name ?? row.name
        if (await destinationStore(tx).nameTaken(name, id))
          throw new Refusal('conflict', `There is a destination named “${name}” already.`)
        await destinationStore(tx).change(
          id,
          { name, settings: read.settings, contract },
          caller.accountId,
          clock.now(),
        )
        let sealed = row.secrets
        for (const [secret, value] of read.secrets)
          sealed = withSecret(id, sealed, secret, value, kind.makeSecret?.name === secret)
        if (read.secrets.size > 0) await destinationStore(tx).setSecrets(id, sealed)
        await write(tx, actorOf(caller), id, 'changed', `changed the destination “${name}”`)
        await requests.changed(tx, 'destination', id, actorOf(caller))
        tx.afterCommit(soon)
      })
      return one(caller, id)
    },
    async rotate(caller, id, name) {
      const row = await need(postgres, id)
      const { makeSecret } = kindOf(row.kind)
      if (makeSecret === undefined || makeSecret.name !== name)
        throw new Refusal('bad_input', 'This secret is not ours to make. Change it in the settings.')
      const secret = makeSecret.make(needs.random)
      const sealed = await postgres.transaction(async (tx) => {
        const before = await need(tx, id, true)
        const after = withSecret(id, before.secrets, name, secret, true)
        await destinationStore(tx).setSecrets(id, after)
        await write(tx, actorOf(caller), id, 'secret_rotated', 'made a new signing secret')
        tx.afterCommit(soon)
        return after
      })
      return { secret, olderUntil: sealed[name]?.[1]?.until ?? null }
    },
    async pause(caller, id) {
      await need(postgres, id)
      if (!(await pauseAs(actorOf(caller), id, `${caller.name} paused it`)))
        throw new Refusal('not_now', 'Only a destination that is live can be paused.')
      return one(caller, id)
    },
    async resume(caller, id) {
      await postgres.transaction(async (tx) => {
        await need(tx, id, true)
        if (!(await destinationStore(tx).move(id, ['paused'], 'live', null)))
          throw new Refusal('not_now', 'Only a destination that is paused can go on.')
        await write(tx, actorOf(caller), id, 'resumed', 'let a destination go on')
        tx.afterCommit(soon)
      })
      return one(caller, id)
    },
    async test(caller, id) {
      const row = await need(postgres, id)
      const event = rehearsalOf(row.contract, clock.now(), ids.next('test'))
      await postgres.transaction((tx) =>
        write(tx, actorOf(caller), id, 'tested', 'sent a made-up event to a destination'),
      )
      const deliverer = open(row)
      try {
        const outcome = await deliverer.deliver([event], row.contract.fields)
        return {
          ok: outcome.kind === 'taken',
          says: outcome.kind === 'taken' ? 'It was taken.' : outcome.because,
          sent: {
            id: event.key,
            type: event.type,
            event: event.name,
            timestamp: event.time,
            data: nested(event.fields),
          },
        }
      } finally {
        await deliverer.close()
      }
    },
    async deadLetters(id, before) {
      await need(postgres, id)
      return ledger(postgres).letters(id, before)
    },
    async replay(caller, id, letters) {
      const again = await postgres.transaction(async (tx) => {
        const row = await need(tx, id)
        if (row.state !== 'live')
          throw new Refusal('not_now', `“${row.name}” is ${row.state}. Dead letters leave under a live agreement only.`)
        const marked = await ledger(tx).again(id, letters)
        await write(tx, actorOf(caller), id, 'replayed', `asked for ${String(marked)} dead letters to be tried again`)
        return marked
      })
      delivery.wake(id)
      return again
    },
    start: () => delivery.start(),
    stop: () => delivery.stop(),
  }
}
