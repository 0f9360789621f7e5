import { resolvedJoin, resolvedProfile } from '../../modules/identity/server/index.ts'
import type { PropertyHouse } from './house.ts'
import type { Story } from './stories.ts'

/** What both stores hold of one story in one world, in the names of the story. */
export interface State {
  identifiers: {
    no: number
    name: string
    type: string
    value: string
    profile: string
    shared: boolean
    standing: number
    firstMs: number
  }[]
  /** Everybody, by their identifiers: what is known of them, and what they did. */
  people: {
    is: string[]
    shared: string[]
    standings: number[]
    profile: unknown
    traits: unknown[]
    events: string[]
  }[]
  refused: { a: string; b: string; because: string }[]
  /** The profile of each identifier and of each event. */
  profileOf: Record<string, string>
  eventOf: Record<string, string>
  pairs: { a: number; b: number; standing: number; firstMs: number }[]
  decisions: { kind: string; left: number[]; right: number[] }[]
}

/** Reads everything about these stories, in a few questions for all of them. */
export async function stateOf(
  { postgres, clickhouse }: PropertyHouse,
  world: string,
  stories: readonly Story[],
): Promise<Map<number, State>> {
  const low = Math.min(...stories.map((story) => story.seed))
  const wanted = new Set(stories.map((story) => story.seed))
  const high = Math.max(...wanted)
  const part = new RegExp(`^${world}-(\\d+)-(.*?)(@x.example)?$`)
  const seedOf = (value: string) => Number(part.exec(value)?.[1])
  const own = (value: string) => part.exec(value)?.[2] ?? value

  const rows = (
    await postgres.query<{
      no: number
      type: string
      value: string
      profile_id: string
      shared_at: Date | null
      standing: number
      created_at: Date
    }>(
      `SELECT * FROM identity.identifier WHERE split_part(value, '-', 1) = $1 AND split_part(value, '-', 2)::int BETWEEN $2 AND $3 ORDER BY type, value`,
      [world, low, high],
    )
  ).filter((row) => wanted.has(seedOf(row.value)))
  const nos = rows.map((row) => row.no)
  const profiles = [...new Set(rows.map((row) => row.profile_id))]
  const [pairs, refusals, decisions, traits, sums, events] = await Promise.all([
    postgres.query<{ a: number; b: number; standing: number; first_at: Date }>(
      'SELECT a, b, standing, min(first_at) AS first_at FROM identity.observation WHERE a = ANY($1) GROUP BY a, b, standing',
      [nos],
    ),
    postgres.query<{ a: number; b: number; because: string }>(
      'SELECT a, b, because FROM identity.refusal WHERE a = ANY($1)',
      [nos],
    ),
    postgres.query<{ kind: string; identifiers: string[]; others: string[] }>(
      `SELECT kind, identifiers, others FROM identity.decision WHERE kind IN ('split', 'join') AND identifiers[1] = ANY($1) ORDER BY at, id`,
      [nos],
    ),
    postgres.query<{ identifier_no: number; name: string; value: string; at: Date }>(
      'SELECT identifier_no, name, value, at FROM profiles.trait WHERE identifier_no = ANY($1)',
      [nos],
    ),
    postgres.query<{
      id: string
      traits: Record<string, unknown>
      name: string
      email: string | null
      first_seen_at: Date
      last_seen_at: Date
    }>('SELECT id, traits, name, email, first_seen_at, last_seen_at FROM profiles.profile WHERE id = ANY($1)', [
      profiles,
    ]),
    clickhouse.query<{ message_id: string; profile: string }>(
      `SELECT e.message_id AS message_id, ${resolvedProfile} AS profile FROM event AS e ${resolvedJoin}
        WHERE splitByChar('-', e.message_id)[1] = {world:String} AND toInt64OrZero(splitByChar('-', e.message_id)[2]) BETWEEN {low:Int64} AND {high:Int64}`,
      { world, low, high },
    ),
  ])
  const seedOfNo = new Map(rows.map((row) => [row.no, seedOf(row.value)]))
  const nameOf = new Map(rows.map((row) => [row.no, `${row.type} ${own(row.value)}`]))
  const name = (no: number) => nameOf.get(no) ?? 'one that is nobody’s'
  const states = new Map<number, State>()
  for (const seed of wanted)
    states.set(seed, { identifiers: [], people: [], refused: [], profileOf: {}, eventOf: {}, pairs: [], decisions: [] })
  const at = (seed: number | undefined) => states.get(seed ?? -1)
  for (const row of rows) {
    const state = at(seedOf(row.value))
    state?.identifiers.push({
      no: row.no,
      name: name(row.no),
      type: row.type,
      value: own(row.value),
      profile: row.profile_id,
      shared: row.shared_at !== null,
      standing: row.standing,
      firstMs: row.created_at.getTime(),
    })
    if (state !== undefined) state.profileOf[name(row.no)] = row.profile_id
  }
  for (const row of pairs)
    at(seedOfNo.get(row.a))?.pairs.push({ a: row.a, b: row.b, standing: row.standing, firstMs: row.first_at.getTime() })
  for (const row of refusals) {
    const [a = '', b = ''] = [name(row.a), name(row.b)].sort()
    at(seedOfNo.get(row.a))?.refused.push({ a, b, because: row.because })
  }
  for (const row of decisions)
    at(seedOfNo.get(Number(row.identifiers[0])))?.decisions.push({
      kind: row.kind,
      left: row.identifiers.map(Number),
      right: row.others.map(Number),
    })
  for (const row of events) {
    const state = at(seedOf(row.message_id))
    if (state !== undefined) state.eventOf[own(row.message_id)] = row.profile
  }
  const sumOf = new Map(sums.map((row) => [row.id, row]))
  for (const state of states.values()) {
    const byProfile = Map.groupBy(state.identifiers, (row) => row.profile)
    for (const [profile, some] of byProfile) {
      const ids = new Set(some.map((row) => row.no))
      const sum = sumOf.get(profile)
      const said = JSON.stringify(sum?.traits ?? null, (_, value: unknown) =>
        typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)))
          : value,
      )
      state.people.push({
        is: some.map((row) => row.name).sort(),
        shared: some
          .filter((row) => row.shared)
          .map((row) => row.name)
          .sort(),
        standings: some.sort((one, other) => (one.name < other.name ? -1 : 1)).map((row) => row.standing),
        profile:
          sum === undefined
            ? null
            : {
                said,
                name: sum.name,
                email: sum.email === null ? null : own(sum.email),
                first: sum.first_seen_at,
                last: sum.last_seen_at,
              },
        traits: traits
          .filter((row) => ids.has(row.identifier_no))
          .map((row) => `${name(row.identifier_no)} ${row.name} ${row.value} ${row.at.toISOString()}`)
          .sort(),
        events: Object.entries(state.eventOf)
          .filter(([, of]) => of === profile)
          .map(([id]) => id)
          .sort(),
      })
    }
    state.people.sort((one, other) => ((one.is[0] ?? '') < (other.is[0] ?? '') ? -1 : 1))
    state.refused.sort((one, other) => (`${one.a} ${one.b}` < `${other.a} ${other.b}` ? -1 : 1))
  }
  return states
}
