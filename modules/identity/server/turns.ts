import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Graph } from './graph.ts'
import { profileIdOf } from './finish.ts'
import { sessionMs, type LastUsers } from './last-users.ts'
import type { IdentityStore } from './store.ts'

/** From an instant on the events of a device are the holder's: a user id, or the device itself. */
export interface Turn {
  since: Date
  holder: number
}

/**
 * Who used a device when; before that, and when nobody did for a while, its events are its own.
 * @param uses user ids on it, in order
 */
export function turnsOf(device: number, uses: readonly { atMs: number; user: number }[]): Turn[] {
  const turns: Turn[] = [{ since: new Date(0), holder: device }]
  uses.forEach(({ atMs, user }, at) => {
    const next = uses[at + 1]?.atMs ?? Number.POSITIVE_INFINITY
    const last = turns.at(-1)
    if (last?.holder !== user) turns.push({ since: new Date(atMs), holder: user })
    if (next > atMs + sessionMs) turns.push({ since: new Date(atMs + sessionMs), holder: device })
  })
  return turns
}

/**
 * Works out who used the devices that are due, from their events, and tells both stores; one that is not shared any more is used by its own person. Events that
 * came before it was known that two people use a device, and events that came late, belong to whoever used it then.
 */
export async function workOutTurns(needs: {
  graph: Graph
  store: IdentityStore
  clickhouse: ClickHouse
  lastUsers: LastUsers
}): Promise<void> {
  const { graph, store, lastUsers } = needs
  for (let devices = await store.dueTurns(); devices.length > 0; devices = await store.dueTurns()) {
    const uses = await usesOf(needs, devices)
    const nos = devices.map(({ no }) => no)
    const due = new Set(nos)
    const turns = nos.flatMap((device) =>
      turnsOf(device, graph.isShared(device) ? (uses.get(device) ?? []) : []).map((turn) => ({ device, ...turn })),
    )
    const at = (turn: { device: number; since: Date }) => `${String(turn.device)} ${String(turn.since.getTime())}`
    const kept = new Set(turns.map(at))
    const gone = (await store.turnsOf(nos)).filter((turn) => due.has(turn.device) && !kept.has(at(turn)))
    await store.replaceTurns(nos, turns)
    await tellTurns(needs, [
      ...turns.map((turn) => ({ ...turn, to: profileIdOf(graph, turn.holder) })),
      ...gone.map((turn) => ({ ...turn, to: '' })),
    ])
    const unnamed = await lastUnnamed(needs.clickhouse, devices)
    for (const no of nos) lastUsers.learn(no, uses.get(no)?.at(-1), unnamed.get(no) ?? 0)
    await store.turnsDone(nos)
  }
}

/** When something was done last on these devices without a name. */
async function lastUnnamed(clickhouse: ClickHouse, devices: readonly Device[]): Promise<Map<number, number>> {
  const { noOf, params, onThem } = askedFor(devices)
  const rows = await clickhouse.query<{ device: string; at: string }>(
    `SELECT device, toString(toUnixTimestamp64Milli(max(time))) AS at FROM event ${eachDevice} WHERE ${onThem} AND user_id = '' GROUP BY device`,
    params,
  )
  return new Map(rows.map(({ device, at }) => [noOf.get(device) ?? 0, Number(at)]))
}

interface Device {
  no: number
  type: string
  value: string
}
const eachDevice = `ARRAY JOIN arrayFilter(key -> has({keys:Array(String)}, key), arrayPushFront(arrayMap(one -> one.1 || ' ' || one.2, external_ids), 'anonymous_id ' || anonymous_id)) AS device`

function askedFor(devices: readonly Device[]) {
  const noOf = new Map(devices.map((one) => [`${one.type} ${one.value}`, one.no]))
  const of = (anonymous: boolean) =>
    devices.flatMap(({ type, value }) => ((type === 'anonymous_id') === anonymous ? [value] : []))
  const params = { keys: [...noOf.keys()], nos: [...noOf.values()], anonymous: of(true), others: of(false) }
  // Browsers alone are found by an index.
  const browsers = 'anonymous_id IN {anonymous:Array(String)}'
  return {
    noOf,
    params,
    onThem:
      params.others.length === 0 ? browsers : `(${browsers} OR hasAny(external_ids.value, {others:Array(String)}))`,
  }
}

interface Use {
  atMs: number
  user: number
}

/** Who used these devices, in order; and every event on them without a name hangs on its device again, also one that was given to somebody at once. */
async function usesOf(
  { graph, clickhouse }: { graph: Graph; clickhouse: ClickHouse },
  devices: readonly Device[],
): Promise<Map<number, Use[]>> {
  const { noOf, params, onThem } = askedFor(devices)
  const rows = await clickhouse.query<{ at: string; user_id: string; hangs_on: string; device: string }>(
    `SELECT toString(toUnixTimestamp64Milli(time)) AS at, user_id, toString(anchor) AS hangs_on, device FROM event ${eachDevice}
      WHERE ${onThem} AND type != 'alias' AND (user_id != '' OR NOT has(arrayPushBack({nos:Array(UInt64)}, 0), anchor)) ORDER BY time`,
    params,
  )
  const given = new Set(
    rows.flatMap(({ user_id, hangs_on }) =>
      user_id === '' && graph.typeOf(Number(hangs_on)) === 'user_id' ? [Number(hangs_on)] : [],
    ),
  )
  if (given.size > 0)
    await clickhouse.command(
      `ALTER TABLE event UPDATE anchor = transform(
          if(has(external_ids.type, 'device_id'), 'device_id ' || arrayFirst(one -> one.1 = 'device_id', external_ids).2, 'anonymous_id ' || anonymous_id), {keys:Array(String)}, {nos:Array(UInt64)}, anchor)
        WHERE ${onThem} AND user_id = '' AND has({given:Array(UInt64)}, anchor) SETTINGS mutations_sync = 1`,
      { ...params, given: [...given] },
    )
  const uses = new Map<number, Use[]>()
  for (const { at, user_id, device } of rows) {
    const user = user_id === '' ? 0 : graph.find({ type: 'user_id', value: user_id.normalize('NFKC').trim() })
    const no = noOf.get(device)
    if (user === 0 || no === undefined) continue
    const some = uses.get(no)
    if (some === undefined) uses.set(no, [{ atMs: Number(at), user }])
    else some.push({ atMs: Number(at), user })
  }
  return uses
}

/** Tells ClickHouse whose the turns are. A row that is told again with the same version is the same row. */
export async function tellTurns(
  { clickhouse }: { clickhouse: ClickHouse },
  rows: readonly { device: number; since: Date; to: string }[],
): Promise<void> {
  if (rows.length === 0) return
  const [last] = await clickhouse.query<{ version: string }>(
    'SELECT toString(max(version)) AS version FROM anchor_override',
  )
  const version = Number(last?.version ?? 0) + 1
  await clickhouse.insert(
    'anchor_override',
    rows.map((row) => ({ anchor: row.device, since: row.since.toISOString(), to_profile: row.to, version })),
    { token: `turns ${String(rows[0]?.device)} ${String(version)}` },
  )
}
