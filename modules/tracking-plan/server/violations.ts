import { sensitivityOf } from '../../../lib/sensitivity/sensitivity.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Json, TrackedEvent } from '../../collect/contract.ts'
import type { Mode, Violation } from '../contract.ts'
import type { Finding } from './compiled.ts'

/** A violation on its way to the store: added up with its likes of the same batch and minute. */
interface Group {
  source_id: string
  type: string
  name: string
  property: string
  rule: string
  library: string
  library_version: string
  plan_version: number
  mode: Mode
  events: number
  samples: string[]
  at: string
}

const samplesEach = 3
/** A sender who makes up keys cannot fill the store: what is beyond is added up under the property “…”. */
const mostGroups = 1000
const minuteMs = 60_000

/** Adds up what was found in one batch. The same batch gives the same rows. */
export function violationsOf() {
  const groups = new Map<string, Group>()
  return {
    add(
      event: Pick<TrackedEvent, 'sourceId' | 'type' | 'name' | 'context' | 'receivedMs'>,
      findings: readonly Finding[],
      by: { version: number; mode: Mode },
    ): void {
      const library = libraryOf(event.context)
      const minute = event.receivedMs - (event.receivedMs % minuteMs)
      for (const finding of findings) {
        const keyed = (name: string, property: string) =>
          JSON.stringify([
            event.sourceId,
            event.type,
            name,
            property,
            finding.rule,
            library.name,
            library.version,
            minute,
          ])
        let [name, property] = [event.name.slice(0, 200), finding.property.slice(0, 300)]
        if (!groups.has(keyed(name, property)) && groups.size >= mostGroups) [name, property] = ['…', '…']
        const key = keyed(name, property)
        const group = groups.get(key) ?? {
          source_id: event.sourceId,
          type: event.type,
          name,
          property,
          rule: finding.rule,
          library: library.name,
          library_version: library.version,
          plan_version: by.version,
          mode: by.mode,
          events: 0,
          samples: [],
          at: new Date(minute).toISOString().replace('T', ' ').replace('Z', ''),
        }
        groups.set(key, group)
        group.events += 1
        if (property === '…' || finding.value === undefined || group.samples.length >= samplesEach) continue
        const sample = sampleOf(finding)
        if (!group.samples.includes(sample)) group.samples.push(sample)
      }
    },
    async store(clickhouse: ClickHouse, token: string): Promise<void> {
      await clickhouse.insert('violation', [...groups.values()], { token: `${token}-violations` })
    },
  }
}

function libraryOf(context: TrackedEvent['context']): { name: string; version: string } {
  const library = context['library']
  if (typeof library !== 'object' || library === null || Array.isArray(library)) return { name: '', version: '' }
  const text = (value: Json | undefined) =>
    typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 80) : ''
  return { name: text(library['name']), version: text(library['version']) }
}

/** Short, and of what is about a person (by plan, by name or by its look) only the form: “text of 19 characters”. */
function sampleOf({ property, value, sensitivity }: Finding): string {
  return shown(property, value ?? null, sensitivity)
}

/** A value as one may show it beside its property. */
export function shown(property: string, value: Json, sensitivity?: number): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const level = Math.max(sensitivity ?? 0, sensitivityOf(property, [text.slice(0, 200)]))
  if (level < 2) return text.length <= 80 ? text : `${text.slice(0, 79)}…`
  if (typeof value === 'string') return `text of ${String(value.length)} characters`
  if (Array.isArray(value)) return `a list of ${String(value.length)}`
  return typeof value === 'number' ? 'a number' : typeof value === 'boolean' ? 'true or false' : 'an object'
}

const periods = {
  hour: { seconds: 3600, step: 120 },
  day: { seconds: 86_400, step: 3600 },
  week: { seconds: 7 * 86_400, step: 6 * 3600 },
  quarter: { seconds: 90 * 86_400, step: 3 * 86_400 },
} as const

/** Violations of a source by event, property and rule, most frequent first. */
export async function readViolations(
  clickhouse: ClickHouse,
  sourceId: string,
  period: keyof typeof periods,
  nowMs: number,
) {
  const { seconds, step } = periods[period]
  const steps = seconds / step
  // The present step is the last.
  const fromMs = (Math.floor(nowMs / 1000 / step) + 1 - steps) * step * 1000
  const params = { source: sourceId, from: Math.floor(fromMs / 1000), step, steps }
  const where = `source_id = {source:String} AND at >= toDateTime({from:UInt32}, 'UTC')`
  const key = 'type, name, property, rule'
  const [groups, libraries] = await Promise.all([
    clickhouse.query<{
      type: Violation['type']
      name: string
      property: string
      rule: string
      all: string
      first_at: string
      last_at: string
      some: string[]
      over_time: number[]
    }>(
      `SELECT ${key}, sum(events) AS all, min(at) AS first_at, max(at) AS last_at, groupUniqArrayArray(5)(samples) AS some,
              arrayMap(value -> toUInt32(value), sumForEach(arrayResize(arrayConcat(arrayResize([]::Array(UInt64), nr, 0), [toUInt64(events)]), {steps:UInt32}, 0))) AS over_time
         FROM (SELECT *, least(toUInt32(intDiv(toUnixTimestamp(toDateTime(at)) - {from:UInt32}, {step:UInt32})), {steps:UInt32} - 1) AS nr
                 FROM violation WHERE ${where})
        GROUP BY ${key} ORDER BY all DESC, ${key} LIMIT 500`,
      params,
    ),
    clickhouse.query<{
      type: string
      name: string
      property: string
      rule: string
      library: string
      library_version: string
      all: string
      first_at: string
    }>(
      // Since which version: over all that is kept, whatever the period that is looked at.
      `SELECT ${key}, library, library_version, sum(events) AS all, min(at) AS first_at FROM violation
        WHERE source_id = {source:String} AND library <> '' GROUP BY ${key}, library, library_version ORDER BY first_at, library, library_version LIMIT 5000`,
      params,
    ),
  ])
  const same = (row: { type: string; name: string; property: string; rule: string }) =>
    JSON.stringify([row.type, row.name, row.property, row.rule])
  const byGroup = new Map<string, Violation['libraries']>()
  for (const row of libraries) {
    const known = byGroup.get(same(row)) ?? []
    byGroup.set(same(row), known)
    if (known.length < 10)
      known.push({
        name: row.library,
        version: row.library_version,
        events: Number(row.all),
        firstAt: isoOf(row.first_at),
      })
  }
  const violations = groups.map((row): Violation => ({
    type: row.type,
    name: row.name,
    property: row.property,
    rule: row.rule,
    events: Number(row.all),
    firstAt: isoOf(row.first_at),
    lastAt: isoOf(row.last_at),
    samples: row.some,
    libraries: byGroup.get(same(row)) ?? [],
    overTime: row.over_time,
  }))
  return {
    from: new Date(fromMs).toISOString(),
    stepSeconds: step,
    steps,
    events: violations.reduce((sum, one) => sum + one.events, 0),
    violations,
  }
}

const isoOf = (text: string) => `${text.replace(' ', 'T')}Z`
