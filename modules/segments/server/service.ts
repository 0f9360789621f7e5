import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { Actor } from '../../audit/contract.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { Profiles } from '../../profiles/server/index.ts'
import type { History, Segment, SegmentDefinition, Size, Why } from '../contract.ts'
import { compile } from './compile.ts'
import { consentedPeople, type ConsentedNeeds } from './consented.ts'
import { describe, fieldsUsed, topicsUsed } from './describe.ts'
import { createMemberships } from './memberships.ts'
import { why } from './why.ts'

export interface SegmentVersion {
  id: Id<'segment'>
  name: string
  version: number
  definition: SegmentDefinition
  editor: Id<'account'>
}

export interface Segments {
  /** The present version, within a transaction that decides. */
  version(tx: Postgres, id: string): Promise<SegmentVersion | undefined>
  list(): Promise<Segment[]>
  get(
    id: Id<'segment'>,
  ): Promise<{ segment: Segment; versions: { version: number; says: string; at: string; by: string }[] }>
  create(caller: Caller, name: string, definition: SegmentDefinition): Promise<Segment>
  change(caller: Caller, id: Id<'segment'>, name: string, definition: SegmentDefinition): Promise<Segment>
  archive(caller: Caller, id: Id<'segment'>, archived: boolean): Promise<Segment>
  /** People in it now, of all, and how many of them have an e-mail address. */
  size(definition: SegmentDefinition, signal?: AbortSignal): Promise<Size>
  sample(definition: SegmentDefinition, count: number, signal?: AbortSignal): Promise<Id<'profile'>[]>
  /** Everyone in it, ordered by id, in chunks. */
  members(definition: SegmentDefinition): AsyncIterable<Id<'profile'>[]>
  preview(
    definition: SegmentDefinition,
    signal?: AbortSignal,
  ): Promise<{
    size: Size
    sample: { id: Id<'profile'>; name: string; email: string | null }[]
    says: string
    milliseconds: number
  }>
  /** @throws Refusal not_found */
  why(id: Id<'segment'>, person: Id<'profile'>): Promise<{ person: { id: Id<'profile'>; name: string }; why: Why }>
  /** Segments that are not put away, those first that the person was in when they were looked at last. @throws Refusal not_found */
  ofPerson(person: Id<'profile'>): Promise<
    {
      id: Id<'segment'>
      name: string
      says: string
      inside: boolean
      since: string | null
      changes: { at: string; entered: boolean }[]
    }[]
  >
  history(id: Id<'segment'>): Promise<History>
  /** Begins and ends to look who comes into which segment and who leaves it. */
  start(): void
  stop(): void
  catalogue(): Promise<{ name: string; events: number; properties: string[] }[]>
  describe(definition: SegmentDefinition): string
  fieldsUsed(definition: SegmentDefinition): { traits: string[]; events: string[] }
}

export interface SegmentNeeds {
  postgres: Postgres
  clickhouse: ClickHouse
  clock: Clock
  ids: Ids
  audit: Audit
  profiles: Pick<Profiles, 'traitsOf' | 'get'>
  consent: ConsentedNeeds['consent']
  log: Log
  /** Someone changed a segment, within the transaction of the change. */
  changed(tx: Postgres, id: Id<'segment'>, by: Actor): Promise<void>
}

interface Row {
  id: string
  name: string
  version: number
  definition: SegmentDefinition
  made_at: Date
  made_by: string
  by_name: string | null
  archived_at: Date | null
}
const select = `SELECT s.id, s.version, s.archived_at, v.name, v.definition, v.made_at, v.made_by, n.name AS by_name
  FROM segments.segment s JOIN segments.version v ON v.segment_id = s.id AND v.version = s.version LEFT JOIN accounts.named_person n ON n.id = v.made_by`

/** Sentences about people: their versions, and who fits them now. */
export function createSegments(needs: SegmentNeeds): Segments {
  const { postgres, clickhouse, clock, audit } = needs
  const consented = consentedPeople(needs)
  const show = (row: Row): Segment => ({
    id: row.id as Id<'segment'>,
    name: row.name,
    version: row.version,
    definition: row.definition,
    says: describe(row.definition),
    changedAt: row.made_at.toISOString(),
    changedBy: row.by_name ?? 'Interlock',
    archived: row.archived_at !== null,
  })
  const one = async (id: string): Promise<Segment> => {
    const [row] = await postgres.query<Row>(`${select} WHERE s.id = $1`, [id])
    if (row === undefined) throw new Refusal('not_found', 'There is no such segment.')
    return show(row)
  }
  const write = async (
    tx: Postgres,
    id: Id<'segment'>,
    version: number,
    caller: Caller,
    name: string,
    definition: SegmentDefinition,
  ) => {
    const taken = await tx.query(
      'SELECT 1 FROM segments.segment WHERE lower(name) = lower($1) AND id <> $2 AND archived_at IS NULL',
      [name, id],
    )
    if (taken.length > 0) throw new Refusal('conflict', `There is a segment named “${name}” already.`)
    if (version === 1)
      await tx.query('INSERT INTO segments.segment (id, name, version, created_at) VALUES ($1, $2, 1, $3)', [
        id,
        name,
        clock.now(),
      ])
    else await tx.query('UPDATE segments.segment SET name = $2, version = $3 WHERE id = $1', [id, name, version])
    await tx.query('INSERT INTO segments.version VALUES ($1, $2, $3, $4, $5, $6)', [
      id,
      version,
      name,
      JSON.stringify(definition),
      caller.accountId,
      clock.now(),
    ])
    await audit.write(tx, {
      actor: actorOf(caller),
      deed: version === 1 ? 'segment.created' : 'segment.changed',
      object: { kind: 'segment', id },
      summary: version === 1 ? `made the segment “${name}”` : `changed the segment “${name}”`,
      facts: { version },
    })
  }

  const segments: Segments = {
    async version(tx, id) {
      const [row] = await tx.query<Row>(`${select} WHERE s.id = $1`, [id])
      return row === undefined
        ? undefined
        : {
            id: row.id as Id<'segment'>,
            name: row.name,
            version: row.version,
            definition: row.definition,
            editor: row.made_by as Id<'account'>,
          }
    },
    list: async () =>
      (await postgres.query<Row>(`${select} ORDER BY s.archived_at NULLS FIRST, lower(s.name)`)).map(show),
    async get(id) {
      const versions = await postgres.query<{
        version: number
        definition: SegmentDefinition
        made_at: Date
        by_name: string | null
      }>(
        'SELECT v.version, v.definition, v.made_at, n.name AS by_name FROM segments.version v LEFT JOIN accounts.named_person n ON n.id = v.made_by WHERE segment_id = $1 ORDER BY version DESC LIMIT 100',
        [id],
      )
      return {
        segment: await one(id),
        versions: versions.map((row) => ({
          version: row.version,
          says: describe(row.definition),
          at: row.made_at.toISOString(),
          by: row.by_name ?? 'Interlock',
        })),
      }
    },
    async create(caller, name, definition) {
      const id = needs.ids.next('segment')
      await postgres.transaction((tx) => write(tx, id, 1, caller, name, definition))
      memberships.lookSoon({ id, definition })
      return one(id)
    },
    async change(caller, id, name, definition) {
      await postgres.transaction(async (tx) => {
        const [before] = await tx.query<{ version: number }>(
          'SELECT version FROM segments.segment WHERE id = $1 FOR UPDATE',
          [id],
        )
        if (before === undefined) throw new Refusal('not_found', 'There is no such segment.')
        await write(tx, id, before.version + 1, caller, name, definition)
        await needs.changed(tx, id, actorOf(caller))
      })
      memberships.lookSoon({ id, definition })
      return one(id)
    },
    async archive(caller, id, archived) {
      await postgres.transaction(async (tx) => {
        await tx.query('UPDATE segments.segment SET archived_at = $2 WHERE id = $1', [
          id,
          archived ? clock.now() : null,
        ])
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: archived ? 'segment.archived' : 'segment.restored',
          object: { kind: 'segment', id },
          summary: archived ? 'put a segment away' : 'brought a segment back',
        })
      })
      return one(id)
    },
    async size(definition, signal) {
      await consented.upToDate(topicsUsed(definition))
      const { sql, params } = compile(definition, clock.ms())
      const [row] = await clickhouse.query<{ people: number; reachable: number; of: number }>(
        `SELECT toUInt32(countIf(inside)) AS people, toUInt32(countIf(inside AND email != '')) AS reachable, toUInt32(count()) AS of
         FROM (SELECT q.email AS email, q.profile_id IN (${sql}) AS inside FROM profile AS q FINAL WHERE q.removed = 0)`,
        params,
        signal === undefined ? {} : { signal },
      )
      return row ?? { people: 0, reachable: 0, of: 0 }
    },
    async sample(definition, count, signal) {
      await consented.upToDate(topicsUsed(definition))
      const { sql, params } = compile(definition, clock.ms())
      // By hash, so that the sample is neither the oldest nor the newest, and the same each time.
      const rows = await clickhouse.query<{ profile_id: string }>(
        `SELECT profile_id FROM (${sql}) ORDER BY cityHash64(profile_id) LIMIT {count:UInt32}`,
        { ...params, count },
        signal === undefined ? {} : { signal },
      )
      return rows.map((row) => row.profile_id as Id<'profile'>)
    },
    async *members(definition) {
      await consented.upToDate(topicsUsed(definition))
      const { sql, params } = compile(definition, clock.ms())
      for await (const rows of clickhouse.stream<{ profile_id: string }>(
        `SELECT profile_id FROM (${sql}) ORDER BY profile_id`,
        params,
      ))
        yield rows.map((row) => row.profile_id as Id<'profile'>)
    },
    async preview(definition, signal) {
      const began = clock.ms()
      const [size, ids] = await Promise.all([segments.size(definition, signal), segments.sample(definition, 8, signal)])
      const people = await needs.profiles.traitsOf(ids)
      return {
        size,
        sample: ids.flatMap((id) => {
          const person = people.get(id)
          return person === undefined ? [] : [{ id, name: person.name, email: person.email }]
        }),
        says: describe(definition),
        milliseconds: clock.ms() - began,
      }
    },
    async why(id, asked) {
      const { definition } = await one(id)
      const person = await needs.profiles.get(asked)
      await consented.upToDate(topicsUsed(definition))
      const found = await why(clickhouse, definition, person.id, clock.ms())
      if (found === undefined) throw new Refusal('not_found', 'There is no such person.')
      return { person: { id: person.id, name: person.name }, why: found }
    },
    async ofPerson(asked) {
      const person = await needs.profiles.get(asked)
      const all = (await segments.list()).filter((segment) => !segment.archived)
      const kept = await memberships.ofPerson(person.id)
      return all
        .map(({ id, name, says }) => ({
          id,
          name,
          says,
          ...(kept.get(id) ?? { inside: false, since: null, changes: [] }),
        }))
        .sort((a, b) => Number(b.inside) - Number(a.inside))
    },
    async catalogue() {
      const rows = await clickhouse.query<{ name: string; events: number; properties: string[] }>(
        `SELECT name, toUInt32(count()) AS events, arraySort(groupUniqArrayArray(60)(JSONAllPaths(properties))) AS properties FROM event WHERE name != '' GROUP BY name ORDER BY events DESC LIMIT 200`,
      )
      return rows.map((row) => ({
        ...row,
        properties: row.properties.filter((path) => /^[A-Za-z0-9_]{1,60}(\.[A-Za-z0-9_]{1,60}){0,3}$/.test(path)),
      }))
    },
    history: async (id) => memberships.history((await one(id)).id),
    start() {
      memberships.start()
    },
    stop() {
      memberships.stop()
    },
    describe,
    fieldsUsed,
  }
  const memberships = createMemberships({
    ...needs,
    all: async () => (await segments.list()).filter((segment) => !segment.archived),
    upToDate: (definition) => consented.upToDate(topicsUsed(definition)),
  })
  return segments
}
