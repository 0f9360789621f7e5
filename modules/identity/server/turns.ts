import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Graph } from './graph.ts'
import { profileIdOf } from './finish.ts'
import type { IdentityStore } from './store.ts'

/** A browser that two people use: an event without a user id belongs to whoever used it last, within this time. */
export const sessionMs = 30 * 60_000

/** From an instant on the events of a device are the holder's: a user id, or the device itself. */
export interface Turn {
  since: Date
  holder: number
}

/**
 * Who used a device when.
 * @param uses user ids on it, in order
 */
export function turnsOf(device: number, uses: readonly { atMs: number; user: number }[]): Turn[] {
  const turns: Turn[] = []
  uses.forEach(({ atMs, user }, at) => {
    const next = uses[at + 1]?.atMs ?? Number.POSITIVE_INFINITY
    const last = turns.at(-1)
    if (last?.holder !== user) turns.push({ since: new Date(atMs), holder: user })
    if (next > atMs + sessionMs) turns.push({ since: new Date(atMs + sessionMs), holder: device })
  })
  return turns
}

/**
 * Works out who used the devices that are due, from their events, and tells both stores: events that came before it was known that two people use a device, and events
 * that came late, belong to whoever used it then.
 */
export async function workOutTurns(needs: {
  graph: Graph
  store: IdentityStore
  clickhouse: ClickHouse
}): Promise<void> {
  const { graph, store, clickhouse } = needs
  const devices = await store.dueTurns()
  for (const device of devices) {
    const column =
      device.type === 'anonymous_id'
        ? 'anonymous_id = {value:String}'
        : 'has(external_ids, ({type:String}, {value:String}))'
    const rows = await clickhouse.query<{ at: string; user_id: string }>(
      `SELECT toString(toUnixTimestamp64Milli(time)) AS at, user_id FROM event WHERE ${column} AND user_id != '' ORDER BY time`,
      device.type === 'anonymous_id' ? { value: device.value } : { type: device.type, value: device.value },
    )
    const uses = rows.flatMap(({ at, user_id }) => {
      const user = graph.find({ type: 'user_id', value: user_id.normalize('NFKC').trim() })
      return user === 0 ? [] : [{ atMs: Number(at), user }]
    })
    const turns = turnsOf(device.no, uses)
    const before = (await store.turnsOf([device.no])).filter((turn) => turn.device === device.no)
    const kept = new Set(turns.map((turn) => turn.since.getTime()))
    await store.replaceTurns(device.no, turns)
    const gone = before.filter((turn) => !kept.has(turn.since.getTime()))
    await tellTurns(needs, [
      ...turns.map((turn) => ({ device: device.no, ...turn, to: profileIdOf(graph, turn.holder) })),
      ...gone.map((turn) => ({ device: device.no, since: turn.since, to: '' })),
    ])
    await store.turnsDone(device.no)
  }
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
