import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import { sensitivityOf } from '../../../lib/sensitivity/sensitivity.ts'
import type { EventType, Json } from '../../collect/contract.ts'
import { keyOf, type PlanContent, type PlannedEvent, type SeenEvent } from '../contract.ts'
import { carries } from './compiled.ts'
import { typeOfValues } from './kinds.ts'
import { pathsOf } from './paths.ts'
import { shown } from './violations.ts'

/** How far back what arrived is looked at. */
export const seenDays = 30
/** Types, samples and shares are read from so many of the newest events of each name. */
const sampleEach = 200
const mostEvents = 300

/** Numbers as numbers: the client asks for text else, so that no digit is lost. */
const asNumbers = 'SETTINGS output_format_json_quote_64bit_integers = 0'

/**
 * What arrived of a source, read from the store: every event name with its count, and the properties of its newest events with the narrowest type that
 * all their values have. Laid beside the plan.
 */
export async function readSeen(
  clickhouse: ClickHouse,
  sourceId: string,
  nowMs: number,
  plan: PlanContent | undefined,
): Promise<SeenEvent[]> {
  const params = {
    source: sourceId,
    from: Math.floor(nowMs / 1000) - seenDays * 86_400,
    each: sampleEach,
    most: mostEvents,
  }
  const where = `source_id = {source:String} AND received_at >= toDateTime({from:Int64}, 'UTC')`
  const [names, rows] = await Promise.all([
    clickhouse.query<{ type: EventType; name: string; events: string; first_at: string; last_at: string }>(
      `SELECT type, name, count() AS events, min(received_at) AS first_at, max(received_at) AS last_at FROM event
        WHERE ${where} GROUP BY type, name ORDER BY events DESC, type, name LIMIT {most:UInt32}`,
      params,
    ),
    clickhouse.query<{ type: EventType; name: string; properties: Record<string, Json>; traits: Record<string, Json> }>(
      `SELECT type, name, properties, traits FROM event WHERE ${where}
        ORDER BY received_at DESC LIMIT {each:UInt32} BY type, name LIMIT 60000 ${asNumbers}`,
      params,
    ),
  ])
  const byKey = new Map<string, { looked: number; values: Map<string, Json[]> }>()
  for (const row of rows) {
    const known = byKey.get(keyOf(row)) ?? { looked: 0, values: new Map<string, Json[]>() }
    byKey.set(keyOf(row), known)
    known.looked += 1
    for (const [path, value] of pathsOf(row[carries(row.type)])) {
      if (isEmptyObject(value)) continue
      const values = known.values.get(path)
      if (values !== undefined) values.push(value)
      else if (known.values.size < 500) known.values.set(path, [value])
    }
  }
  const planned = new Map((plan?.events ?? []).map((event) => [keyOf(event), event]))
  return names.map((row) => {
    const mine = planned.get(keyOf(row))
    const known = byKey.get(keyOf(row))
    const events = Number(row.events)
    return {
      type: row.type,
      name: row.name,
      events,
      firstAt: isoOf(row.first_at),
      lastAt: isoOf(row.last_at),
      planned: mine !== undefined,
      properties: [...(known?.values ?? [])]
        .filter(([path]) => path.length <= 300 && !path.split('.').some((part) => part.trim() === ''))
        .map(([name, values]) => describe(name, values, mine, events, known?.looked ?? 1))
        .sort((a, b) => b.events - a.events || (a.name < b.name ? -1 : 1)),
    }
  })
}

function describe(
  name: string,
  values: readonly Json[],
  planned: PlannedEvent | undefined,
  events: number,
  looked: number,
): SeenEvent['properties'][number] {
  const type = typeOfValues(values)
  const property = planned?.properties.find((one) => one.name === name)
  const texts = values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
  const accepts =
    property !== undefined &&
    (property.type === type ||
      (property.type === 'number' && type === 'integer') ||
      (property.type === 'string' && ['email', 'time', 'currency', 'url'].includes(type)))
  return {
    name,
    type,
    // All of them when all were looked at; else the share of those that were.
    events: Math.round((values.length / looked) * events),
    samples: [...new Set(values.slice(0, 50).map((value) => shown(name, value, property?.sensitivity)))].slice(0, 3),
    sensitivity: property?.sensitivity ?? sensitivityOf(name, texts.slice(0, 50)),
    planned: property === undefined ? 'no' : accepts ? 'yes' : 'other-type',
  }
}

const isEmptyObject = (value: Json) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0

/**
 * The plan with what was seen taken in: new events with their properties, new properties of planned ones. What people wrote stays as it is. A property
 * is required when every event had it.
 */
export function adopted(plan: PlanContent, seen: readonly SeenEvent[]): PlanContent {
  const events = [...plan.events]
  for (const one of seen) {
    const at = events.findIndex((event) => keyOf(event) === keyOf(one))
    const before = events[at] ?? { type: one.type, name: one.name, status: 'planned', description: '', properties: [] }
    const isNew = at < 0
    const known = new Set(before.properties.map((property) => property.name))
    const properties = one.properties
      .filter((property) => !known.has(property.name))
      .map((property) => ({
        name: property.name,
        type: property.type,
        required: isNew && property.events >= one.events,
        meaning: '',
        sensitivity: property.sensitivity as 0 | 1 | 2 | 3 | 4,
        purpose: '',
      }))
    const after = { ...before, properties: [...before.properties, ...properties].slice(0, 500) }
    if (isNew) events.push(after)
    else events[at] = after
  }
  return { ...plan, events }
}

/** The newest events of the last seven days, as the plan would meet them. */
export async function* lastWeek(
  clickhouse: ClickHouse,
  sourceId: string,
  nowMs: number,
  most: number,
): AsyncGenerator<{ type: EventType; name: string; properties: Record<string, Json>; traits: Record<string, Json> }[]> {
  yield* clickhouse.stream(
    `SELECT type, name, properties, traits FROM event WHERE ${week} ORDER BY received_at DESC LIMIT {most:UInt32} ${asNumbers}`,
    { ...weekOf(sourceId, nowMs), most },
  )
}
export async function countLastWeek(clickhouse: ClickHouse, sourceId: string, nowMs: number): Promise<number> {
  const [row] = await clickhouse.query<{ events: string }>(
    `SELECT count() AS events FROM event WHERE ${week}`,
    weekOf(sourceId, nowMs),
  )
  return Number(row?.events ?? 0)
}
const week = `source_id = {source:String} AND received_at >= toDateTime({from:Int64}, 'UTC')`
const weekOf = (sourceId: string, nowMs: number) => ({
  source: sourceId,
  from: Math.floor(nowMs / 1000) - 7 * 86_400,
})

const isoOf = (text: string) => `${text.replace(' ', 'T')}Z`
