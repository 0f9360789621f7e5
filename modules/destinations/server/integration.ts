import { createHash } from 'node:crypto'
import { labelOf, sensitivityOf } from '../../../lib/sensitivity/sensitivity.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Field, Level } from '../../policy/contract.ts'
import type { Check } from '../../requests/contract.ts'
import type { ChangeKind, Clearance } from '../../requests/server/index.ts'
import type { Sources } from '../../sources/server/index.ts'
import type { Tools } from '../../tools/server/index.ts'
import { frequencies, type Contract } from '../contract.ts'
import { kindNamed } from './kinds/index.ts'
import type { DestinationKind } from './kinds/kind.ts'
import { destinationStore, type DestinationRow } from './store.ts'

export interface IntegrationNeeds {
  clickhouse: ClickHouse
  clock: Clock
  tools: Pick<Tools, 'get' | 'assertUsable' | 'connectAs'>
  sources: Pick<Sources, 'peek'>
  /** How sensitive fields of people are, by their names and by what was seen in them. */
  fields: (tx: Postgres) => Promise<readonly { name: string; sensitivity: Level }[]>
  /** People that are known. */
  people: () => Promise<number>
  /** Within the transaction that stopped it. */
  stopped(tx: Postgres, destinationId: string): void
  /** Within the transaction that made it live. */
  launched(tx: Postgres, clearance: Clearance): void
}

const weekMs = 7 * 86_400_000

/** The label of a path, for people: `properties.order_total` is “order total”. */
export const labelOfPath = (path: string): string => labelOf(path.replace(/^(traits|properties|context)[.]/, ''))

/** How sensitive a field of an event is: by its name, whole and without its beginning, and by what was seen in the field of people of that name. */
export function sensitivityOfPath(path: string, seen: ReadonlyMap<string, Level> = new Map()): Level {
  const name = path.replace(/^(traits|properties|context)[.]/, '')
  const last = name.split('.').at(-1) ?? name
  return Math.max(sensitivityOf(name), sensitivityOf(last), seen.get(name) ?? 0, path === 'context.ip' ? 2 : 0) as Level
}

/**
 * Fields that leave, each with how sensitive it is. What people did, together with where they can be reached, says more than either: then a field of
 * contact counts as both, so that leaving it out is what comes down a lane.
 */
function fieldsOf(contract: Contract, seen: ReadonlyMap<string, Level>): Field[] {
  const done = contract.events.filter((one) => one.type !== 'identify' && one.type !== 'alias' && one.type !== 'group')
  return contract.fields.map((path): Field => {
    const sensitivity = sensitivityOfPath(path, seen)
    const joined = sensitivity === 2 && done.length > 0
    return {
      name: path,
      label: joined ? `${labelOfPath(path)}, together with what they did` : labelOfPath(path),
      sensitivity: joined ? 3 : sensitivity,
    }
  })
}

const wordsOf = ({ type, name }: Contract['events'][number]): string =>
  name === null ? `every ${type} event` : type === 'track' ? `“${name}”` : `${type} “${name}”`

const shortHash = (values: readonly unknown[]) =>
  createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 12)

/** Events and people of the last week that the contract is about. */
async function volume(clickhouse: ClickHouse, contract: Contract, nowMs: number) {
  const [row] = await clickhouse.query<{ events: number; people: number }>(
    `SELECT toFloat64(count()) AS events, toFloat64(uniqIf(profile_id, profile_id != '')) AS people FROM event
      WHERE source_id IN {sources:Array(String)} AND time >= fromUnixTimestamp64Milli({since:Int64})
        AND (has({types:Array(String)}, type) OR (name IN {names:Array(String)} AND has({named:Array(String)}, concat(type, ' ', name))))`,
    {
      sources: contract.sources,
      since: nowMs - weekMs,
      types: contract.events.filter((one) => one.name === null).map((one) => one.type),
      names: contract.events.flatMap((one) => (one.name === null ? [] : [one.name])),
      named: contract.events.flatMap((one) => (one.name === null ? [] : [`${one.type} ${one.name}`])),
    },
  )
  return { events: row?.events ?? 0, people: row?.people ?? 0 }
}

const many = (value: number, one: string, more: string) =>
  `${value.toLocaleString('en-GB')} ${value === 1 ? one : more}`

/** An integration as something that can go live: what keys on it cover, the facts about it, the checks before it. */
export function integrationKind(needs: IntegrationNeeds): ChangeKind {
  const { clickhouse, clock, tools, sources } = needs
  async function load(tx: Postgres, id: string): Promise<{ row: DestinationRow; kind: DestinationKind }> {
    const row = await destinationStore(tx).get(id)
    if (row === undefined) throw new Refusal('not_found', 'There is no such destination.')
    const kind = kindNamed(row.kind)
    if (kind === undefined) throw new Refusal('not_now', `Nothing can be sent to the kind “${row.kind}” any more.`)
    return { row, kind }
  }
  async function toolOf(tx: Postgres, row: DestinationRow) {
    const tool = await tools.get(tx, row.tool_id)
    if (tool === undefined) throw new Refusal('not_now', `The tool of “${row.name}” is gone.`)
    return tool
  }
  const sourceName = (id: string) => sources.peek(id)?.name ?? 'a source that is gone'
  /** Inside the house nothing has left that cannot be deleted here. */
  const personal = (fields: readonly Field[]) => fields.some((field) => field.sensitivity >= 2)

  /** The flow between tools, as the register and the map show it. */
  async function register(tx: Postgres, row: DestinationRow, agreed: boolean): Promise<void> {
    for (const source of row.contract.sources) {
      const from = sources.peek(source)?.toolId
      if (from !== undefined && from !== null && from !== row.tool_id)
        await tools.connectAs(tx, from, row.tool_id, row.contract.fields, row.contract.purpose, agreed)
    }
  }

  return {
    kind: 'integration',
    href: (id) => `/destinations/${id}`,
    async describe(tx, id) {
      const { row, kind } = await load(tx, id)
      return { title: row.name, sub: `Integration: ${row.contract.sources.map(sourceName).join(', ')} to ${kind.name}` }
    },
    async closure(tx, id) {
      const { row } = await load(tx, id)
      const tool = await toolOf(tx, row)
      return {
        covers: [
          {
            kind: 'destination',
            id,
            name: row.name,
            version: shortHash([row.kind, row.settings, row.contract, row.tool_id]),
          },
          {
            kind: 'tool',
            id: tool.id,
            name: tool.name,
            version: shortHash([tool.status, tool.owners.marketing?.id, tool.owners.it?.id, tool.region]),
          },
        ],
        editors: row.changed_by.startsWith('account_') ? [row.changed_by as never] : [],
        content: {
          destination: { kind: row.kind, settings: row.settings },
          tool: { id: tool.id, region: tool.region },
          direction: 'out',
          contract: { ...row.contract, fields: [...row.contract.fields].sort() },
        },
      }
    },
    async facts(tx, id) {
      const { row, kind } = await load(tx, id)
      const tool = await toolOf(tx, row)
      const seen = new Map((await needs.fields(tx)).map((field) => [field.name, field.sensitivity]))
      const fields = fieldsOf(row.contract, seen)
      const [lastWeek, known] = await Promise.all([volume(clickhouse, row.contract, clock.ms()), needs.people()])
      const first = !(await destinationStore(tx).toolUsedBefore(row.tool_id, id)) && row.begins_at === null
      return {
        // A flow has no end: whoever is known may come through it one day, so it is judged as if they had.
        audience: { people: Math.min(lastWeek.people, known), of: known, atMost: known },
        fields,
        irreversibility: !kind.leaves
          ? { level: 1, because: 'it stays on this machine, where it can be deleted' }
          : personal(fields)
            ? { level: 3, because: `personal data leaves the company for ${tool.region}` }
            : { level: 1, because: 'nothing that leaves says who somebody is' },
        integration: personal(fields)
          ? { level: 2, because: `it hands data one way to “${tool.name}” in ${tool.region}` }
          : { level: 1, because: `it hands data without contact fields one way to “${tool.name}”` },
        firstUse: first ? [`“${tool.name}” as a receiver of events`] : [],
      }
    },
    async does(tx, id, facts) {
      const { row, kind } = await load(tx, id)
      const tool = await toolOf(tx, row)
      const lastWeek = await volume(clickhouse, row.contract, clock.ms())
      return [
        { label: 'Sends', says: row.contract.events.map(wordsOf).join(', ') },
        { label: 'Of', says: row.contract.sources.map(sourceName).join(', ') },
        { label: 'To', says: `${kind.name}: ${kind.address(row.settings)}` },
        { label: 'Tool', says: `“${tool.name}”, whose data is in ${tool.region}` },
        {
          label: 'With',
          says: 'these fields and no other; what the contract does not name stays here and is counted. Each event also says its stable key, its type, its name and its time',
          fields: facts.fields.map((field) => ({ label: field.label, sensitivity: field.sensitivity })),
        },
        { label: 'For', says: row.contract.purpose },
        { label: 'How often', says: frequencies[row.contract.frequency] },
        {
          label: 'Volume',
          says: `${many(lastWeek.events, 'event', 'events')} of ${many(lastWeek.people, 'person', 'people')} in the last week would have left`,
        },
        {
          label: 'Undo',
          says: 'A withdrawn key, a pause or any change of contract or address stops it before the next delivery; what is out is out.',
        },
      ]
    },
    async preflight(tx, id) {
      const { row, kind } = await load(tx, id)
      const tool = await toolOf(tx, row)
      const lastWeek = await volume(clickhouse, row.contract, clock.ms())
      const checks: Check[] = [
        {
          name: 'Tool',
          result: tool.blockedBecause === null ? 'ok' : 'fail',
          says: tool.blockedBecause ?? `“${tool.name}” is live and has an owner on each side.`,
        },
        {
          name: 'Events',
          result: lastWeek.events === 0 ? 'warn' : 'ok',
          says:
            lastWeek.events === 0
              ? 'No such event came in the last week. Check the names: they are told apart by every letter.'
              : `${many(lastWeek.events, 'such event', 'such events')} came in the last week.`,
        },
      ]
      const off = row.contract.sources.filter((source) => sources.peek(source)?.enabled !== true)
      checks.push({
        name: 'Sources',
        result: off.length > 0 ? 'warn' : 'ok',
        says: off.length > 0 ? `${off.map(sourceName).join(', ')}: switched off or gone.` : 'Every source is on.',
      })
      const missing = kind.form.filter(
        (setting) => setting.type === 'secret' && setting.required && (row.secrets[setting.name] ?? []).length === 0,
      )
      checks.push({
        name: 'Secrets',
        result: missing.length > 0 ? 'fail' : 'ok',
        says:
          missing.length > 0
            ? `${missing.map((setting) => setting.label).join(', ')}: not set.`
            : 'Everything that is needed to sign in or to sign is set.',
      })
      return checks
    },
    async execute(tx, id, clearance) {
      const { row } = await load(tx, id)
      await tools.assertUsable(tx, row.tool_id)
      await destinationStore(tx).goLive(id, clearance.releaseHash, clock.now())
      await register(tx, row, true)
      needs.launched(tx, clearance)
    },
    async halted(tx, id, because) {
      await destinationStore(tx).move(id, ['live', 'paused'], 'halted', because)
      const row = await destinationStore(tx).get(id)
      if (row !== undefined) await register(tx, row, false)
      needs.stopped(tx, id)
    },
  }
}
