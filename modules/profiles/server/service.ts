import { normalise, type Identifier } from '../../../lib/identifiers/identifiers.ts'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import { labelOf, sensitivityOf } from '../../../lib/sensitivity/sensitivity.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { PipelineStep, TrackedEvent } from '../../collect/server/index.ts'
import { maybeOf, resolvedJoin, resolvedProfile, type Identity } from '../../identity/server/index.ts'
import type { Sources } from '../../sources/server/index.ts'
import type { Field, Person, PersonRow, TimelineEvent } from '../contract.ts'
import { declared, profileStore, type ProfileRow, type TraitRow } from './store.ts'

export interface Profiles {
  /** After identity: keeps traits, the sum of each profile, and its copy in ClickHouse. */
  step: PipelineStep
  /** Sums up whoever identity changed without an event: after a decision. */
  follow(): Promise<void>
  get(id: Id<'profile'>): Promise<Person>
  /** @throws Refusal not_found when nobody has this identifier, however it is written */
  by(identifier: Identifier): Promise<Person>
  find(search: string, after: string | undefined): Promise<{ people: PersonRow[]; next: string | null; total: number }>
  timeline(id: Id<'profile'>, before: string | undefined): Promise<{ events: TimelineEvent[]; next: string | null }>
  fields(tx?: Postgres): Promise<Field[]>
  count(): Promise<number>
  /** Traits of people, for rendering; who is gone is left out. */
  traitsOf(
    ids: readonly string[],
  ): Promise<Map<string, { id: string; name: string; email: string | null; traits: Record<string, unknown> }>>
}

const page = 50

/** What is known of each person, from every source. */
export function createProfiles(needs: {
  postgres: Postgres
  clickhouse: ClickHouse
  clock: Clock
  identity: Pick<Identity, 'namedBy' | 'canonical' | 'standingOf' | 'profileOf'>
  sources: Pick<Sources, 'peek'>
}): Profiles {
  const { postgres, clickhouse, clock, identity, sources } = needs
  const store = profileStore(postgres)
  const nameOf = (sourceId: string) => sources.peek(sourceId)?.name ?? 'a source that is gone'

  /**
   * Sums up these profiles anew, and those that identity changed since the last time, and writes them to both stores. A profile of which nothing was seen any
   * more is gone.
   * @param version of each profile that an event of this batch is about
   * @param seen profiles of which this batch said only that they were seen, as they are now
   */
  async function project(
    versions: ReadonlyMap<string, number>,
    token: string,
    seen: readonly ProfileRow[] = [],
  ): Promise<void> {
    const highest = Math.max(0, ...versions.values())
    const written = await postgres.transaction(async (tx) => {
      const inside = profileStore(tx)
      const resolutions = await inside.resolutions()
      const changed = new Set(resolutions.flatMap((row) => [row.from_profile, row.to_profile]))
      const touched = seen.filter(({ id }) => !changed.has(id))
      const done = new Set(touched.map((row) => row.id))
      const ids = [...new Set([...versions.keys(), ...changed])].filter((id) => !done.has(id))
      if (ids.length + touched.length === 0) return undefined
      const newer = Math.max(highest, changed.size === 0 ? 0 : (await inside.versionOf([...changed])) + 1)
      const last = resolutions.at(-1)
      if (last !== undefined) await inside.followed(last.seq)
      const rows: ProfileRow[] = []
      const gone: string[] = []
      for (const sum of await inside.sumOf(ids)) {
        const traits = sum.traits ?? {}
        if (sum.first_at === null || sum.last_at === null) gone.push(sum.profile_id)
        else
          rows.push({
            id: sum.profile_id,
            traits,
            name: nameFrom(traits),
            email: emailFrom(traits) ?? sum.emails?.[0] ?? null,
            phone: sum.phones?.[0] ?? null,
            time_zone: textOf(traits['timeZone']),
            locale: textOf(traits['language']) ?? textOf(traits['locale']),
            first_seen_at: sum.first_at,
            last_seen_at: sum.last_at,
            version: changed.has(sum.profile_id) ? newer : (versions.get(sum.profile_id) ?? newer),
          })
      }
      if (gone.length > 0) await inside.remove(gone)
      return {
        rows: [...touched, ...(await inside.put(rows))],
        gone,
        newer,
        key: `${token} ${String(last?.seq ?? '')}`,
      }
    })
    if (written === undefined) return
    const now = clock.now().toISOString()
    await clickhouse.insert(
      'profile',
      [
        ...written.rows.map((row) => ({
          profile_id: row.id,
          version: row.version,
          removed: 0,
          traits: row.traits,
          email: row.email ?? '',
          first_seen_at: row.first_seen_at.toISOString(),
          last_seen_at: row.last_seen_at.toISOString(),
        })),
        ...written.gone.map((id) => ({
          profile_id: id,
          version: written.newer,
          removed: 1,
          traits: {},
          email: '',
          first_seen_at: now,
          last_seen_at: now,
        })),
      ],
      { token: `${written.key} profile` },
    )
  }

  const profiles: Profiles = {
    step: {
      name: 'profiles',
      async run({ token, events }) {
        const traits = new Map<string, TraitRow>()
        const fields = new Map<string, { name: string; type: string; sample: string }>()
        const seen = new Map<number, Span>()
        const versions = new Map<string, number>()
        const only = new Map<string, Span>()
        const told = new Set<string>()
        for (const inFlight of events) {
          if (inFlight.profileId === undefined || inFlight.outcome !== undefined) continue
          const named = identity.namedBy(inFlight)
          if (named === undefined) continue
          const { event, position } = inFlight
          // What we did to a person is not something that the person did.
          if (/^Message (Sent|Bounced|Failed)$/.test(event.name)) continue
          const at = new Date(event.timeMs)
          widen(seen, named.seen, at)
          widen(only, named.profile, at)
          versions.set(named.profile, Math.max(Number(position) + 1, versions.get(named.profile) ?? 0))
          const anchor = named.traits
          if (anchor === undefined) continue
          const standing = identity.standingOf(event)
          for (const [name, value] of Object.entries(traitsOf(event))) {
            if (name.length > 100 || value === null) continue
            const key = `${String(anchor)} ${name}`
            const known = traits.get(key)
            if (known !== undefined && outranks(known, standing, event.timeMs)) continue
            told.add(named.profile)
            traits.set(key, {
              identifierNo: anchor,
              name,
              value: cleaned(value),
              at,
              sourceId: event.sourceId,
              standing,
            })
            for (const field of fieldsOf(name, value)) fields.set(field.name, field)
          }
        }
        for (const id of told) only.delete(id)
        const touch = [...only].map(([id, span]) => ({ id, ...span, version: versions.get(id) ?? 0 }))
        const [touched] = await Promise.all([
          postgres.transaction((tx) => profileStore(tx).touch(touch)),
          store.putTraits([...traits.values()]),
          store.putFields([...fields.values()], clock.now()),
          store.putSeen([...seen].map(([identifierNo, span]) => ({ identifierNo, ...span }))),
        ])
        await project(versions, token, touched)
      },
    },
    follow: () => project(new Map(), 'follow'),
    async by(identifier) {
      const id = identity.profileOf(identifier)
      if (id === undefined) throw new Refusal('not_found', 'Nobody is known by this identifier.')
      return profiles.get(id)
    },
    async get(id) {
      const current = (await identity.canonical(id)) ?? id
      const row = await store.get(current)
      if (row === undefined) throw new Refusal('not_found', 'There is no such person.')
      const traits = await store.traitsOf(current)
      return {
        id: current,
        name: row.name,
        email: row.email,
        phone: row.phone,
        timeZone: row.time_zone,
        locale: row.locale,
        firstSeenAt: row.first_seen_at.toISOString(),
        lastSeenAt: row.last_seen_at.toISOString(),
        traits: traits.map((trait) => ({
          name: trait.name,
          label: labelOf(trait.name),
          value: trait.value,
          at: trait.at.toISOString(),
          sourceId: trait.source_id,
          sourceName: nameOf(trait.source_id),
          sensitivity: sensitivityOf(trait.name),
          others: Number(trait.others),
        })),
      }
    },
    async find(search, after) {
      const [at, id] = after?.split('~') ?? []
      const rows = await store.page(
        search.trim(),
        at === undefined || id === undefined ? undefined : { at: new Date(at), id },
        page + 1,
      )
      const shown = rows.slice(0, page)
      const last = shown.at(-1)
      return {
        people: shown.map((row) => ({
          id: row.id as Id<'profile'>,
          name: row.name,
          email: row.email,
          phone: row.phone,
          country: textOf((row.traits['address'] as Record<string, unknown> | undefined)?.['country']),
          lastSeenAt: row.last_seen_at.toISOString(),
        })),
        next: rows.length > page && last !== undefined ? `${last.last_seen_at.toISOString()}~${last.id}` : null,
        total: search.trim() === '' ? await store.count() : await store.countFound(search.trim()),
      }
    },
    async timeline(id, before) {
      const current = (await identity.canonical(id)) ?? id
      const rows = await clickhouse.query<{
        time: string
        type: string
        name: string
        source_id: string
        message_id: string
        properties: Record<string, unknown>
      }>(
        `SELECT formatDateTime(e.time, '%Y-%m-%dT%H:%i:%S', 'UTC') || '.' || leftPad(toString(toUnixTimestamp64Milli(e.time) % 1000), 3, '0') || 'Z' AS time, e.type AS type, e.name AS name, e.source_id AS source_id, e.message_id AS message_id, e.properties AS properties
         FROM event AS e ${resolvedJoin}
         WHERE ${maybeOf} AND ${resolvedProfile} = {id:String} AND e.time < parseDateTime64BestEffort({before:String}, 3, 'UTC')
         ORDER BY e.time DESC, e.position DESC LIMIT {limit:UInt32}`,
        { id: current, before: before ?? '2100-01-01T00:00:00.000Z', limit: page + 1 },
      )
      const shown = rows.slice(0, page)
      return {
        events: shown.map((row) => ({
          time: row.time,
          type: row.type,
          name: row.name,
          sourceId: row.source_id,
          sourceName: nameOf(row.source_id),
          messageId: row.message_id,
          properties: row.properties,
        })),
        next: rows.length > page ? (shown.at(-1)?.time ?? null) : null,
      }
    },
    async fields(tx = postgres) {
      return (await profileStore(tx).fields()).map((row) => ({
        name: row.name,
        label: labelOf(row.name),
        type: row.type as Field['type'],
        sensitivity: sensitivityOf(row.name, row.samples),
        samples: row.samples,
      }))
    },
    count: () => store.count(),
    async traitsOf(ids) {
      return new Map(
        (await store.some(ids)).map((row) => [
          row.id,
          { id: row.id, name: row.name, email: row.email, traits: row.traits },
        ]),
      )
    },
  }
  return profiles
}

interface Span {
  first: Date
  last: Date
}
/** Notes that something was seen at an instant. */
function widen<Key>(spans: Map<Key, Span>, key: Key, at: Date): void {
  const known = spans.get(key)
  if (known === undefined) spans.set(key, { first: at, last: at })
  else if (at < known.first) known.first = at
  else if (at > known.last) known.last = at
}

/** What an event says of its person. */
function traitsOf(event: TrackedEvent): Record<string, unknown> {
  return event.type === 'identify' ? event.traits : {}
}
/** Whether a word of this batch stays against a later one. */
function outranks(known: TraitRow, standing: number, atMs: number): boolean {
  if (declared.includes(known.name) && known.standing !== standing) return known.standing > standing
  return known.at.getTime() > atMs
}
function cleaned(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\u0000', '').slice(0, 4_096) : value
}
function fieldsOf(name: string, value: unknown): { name: string; type: string; sample: string }[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.entries(value)
      .filter(([inner]) => /^[A-Za-z0-9_]{1,60}$/.test(inner))
      .flatMap(([inner, of]) =>
        typeof of === 'object' ? [] : [{ name: `${name}.${inner}`, type: typeOf(of), sample: String(of).slice(0, 80) }],
      )
  if (!/^[A-Za-z0-9_]{1,60}$/.test(name)) return []
  return [
    {
      name,
      type: typeOf(value),
      sample: (textOf(value) ?? (typeof value === 'boolean' ? String(value) : '')).slice(0, 80),
    },
  ]
}
function typeOf(value: unknown): string {
  if (typeof value === 'number') return 'number'
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'string') return /^\d{4}-\d{2}-\d{2}/.test(value) ? 'date' : 'text'
  return 'other'
}
function nameFrom(traits: Record<string, unknown>): string {
  const full = [textOf(traits['firstName']), textOf(traits['lastName'])].filter((part) => part !== null).join(' ')
  return full !== '' ? full : (textOf(traits['name']) ?? textOf(traits['email']) ?? '')
}
function emailFrom(traits: Record<string, unknown>): string | null {
  const said = textOf(traits['email'])
  return said === null ? null : (normalise({ type: 'email', value: said })?.value ?? null)
}
function textOf(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== ''
    ? value.trim()
    : typeof value === 'number'
      ? String(value)
      : null
}
