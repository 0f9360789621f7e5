import { seededRandom } from '../../lib/seeded/seeded.ts'
import type { Kind } from './house.ts'

/** What happens to a few people, drawn from a seed. Identifiers are named within the story, such as `email e1`. */
export interface Story {
  seed: number
  events: Told[]
  decisions: { kind: 'split' | 'join'; left: string; right: string; after: number }[]
  random: () => number
}

export interface Told {
  id: string
  from: Kind
  type: 'identify' | 'track' | 'alias'
  names: string[]
  traits: Record<string, string>
  atMs: number
}

const start = Date.parse('2024-03-01T08:00:00Z')
const dayMs = 86_400_000

/** Two or three people, their customer numbers, addresses and devices, mixed up as people mix them up. */
export function drawStory(seed: number): Story {
  const random = seededRandom(seed)
  const below = (n: number) => Math.floor(random() * n)
  const one = <T>(of: readonly T[]): T => of[below(of.length)] as T
  // Some stories last for years and have many addresses, so that the limit by the year is met.
  const overYears = random() < 0.15
  const pools: Record<string, string[]> = {
    user_id: ['u1', 'u2', 'u3'].slice(0, 2 + below(2)),
    crm_id: ['c1', 'c2'],
    email: overYears ? ['e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8'] : ['e1', 'e2', 'e3'],
    anonymous_id: ['a1', 'a2', 'a3'],
    device_id: ['d1'],
  }
  const events: Told[] = []
  const many = overYears ? 10 + below(12) : 5 + below(10)
  for (let n = 0; n < many; n++) {
    const from = one(['public', 'public', 'trusted', 'list'] as const)
    const names = Object.entries(pools).flatMap(([type, values]) => {
      const often =
        type === 'user_id'
          ? 0.5
          : type === 'anonymous_id'
            ? from === 'public'
              ? 0.8
              : 0.15
            : type === 'email'
              ? overYears
                ? 0.7
                : 0.4
              : 0.15
      return random() < often ? [`${type} ${one(values)}`] : []
    })
    if (names.length === 0) names.push(`email ${one(pools['email'] ?? [])}`)
    // An alias says that a user id was an anonymous id, or another user id, before.
    const aliases = random() < 0.06 && names.some((name) => name.startsWith('user_id'))
    if (aliases)
      names.splice(0, names.length, `user_id ${one(pools['user_id'] ?? [])}`, random() < 0.5 ? 'was u1' : 'was a2')
    events.push({
      id: String(n),
      from,
      type: aliases ? 'alias' : random() < 0.5 ? 'identify' : 'track',
      names,
      traits: random() < 0.4 ? { plan: one(['basic', 'extra', 'all']), firstName: one(['Åsa', 'Łukasz', 'İpek']) } : {},
      atMs: start + n + (overYears ? below(800) * dayMs : below(150) * 60_000),
    })
  }
  const decisions: Story['decisions'] = []
  const said = [...new Set(events.flatMap(({ names }) => names.filter((name) => !name.startsWith('was '))))]
  for (let n = random() < 0.4 ? 1 + below(2) : 0; n > 0 && said.length > 1; n--) {
    const [left, right] = [one(said), one(said)]
    if (left !== right) decisions.push({ kind: one(['split', 'join'] as const), left, right, after: below(many) })
  }
  return { seed, events, decisions, random }
}

/** The same in another order. */
export function shuffled<T>(of: readonly T[], random: () => number): T[] {
  const all = [...of]
  for (let at = all.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    ;[all[at], all[other]] = [all[other] as T, all[at] as T]
  }
  return all
}

/** What an identifier of a story is called in one world, so that many worlds live in one house. */
export function valueIn(world: string, seed: number, name: string): { type: string; value: string } {
  const [type = '', own = ''] = name.split(' ')
  const value = `${world}-${String(seed)}-${own}`
  return { type, value: type === 'email' ? `${value}@x.example` : value }
}

/** The event as a source sends it. */
export function eventIn(world: string, seed: number, told: Told): { from: Kind; event: object } {
  const of = (type: string) =>
    told.names.filter((name) => name.startsWith(`${type} `)).map((name) => valueIn(world, seed, name).value)[0]
  const externalIds = ['crm_id', 'device_id', 'email'].flatMap((type) => {
    const id = of(type)
    return id === undefined ? [] : [{ type, id }]
  })
  const before = told.names.find((name) => name.startsWith('was '))?.slice(4)
  const [userId, anonymousId] = [of('user_id'), of('anonymous_id')]
  return {
    from: told.from,
    event: {
      type: told.type,
      messageId: `${world}-${String(seed)}-${told.id}`,
      ...(told.type === 'track' ? { event: 'Köp' } : {}),
      ...(userId === undefined ? {} : { userId }),
      ...(anonymousId === undefined || told.type === 'alias' ? {} : { anonymousId }),
      ...(before === undefined ? {} : { previousId: `${world}-${String(seed)}-${before}` }),
      ...(told.type === 'identify' ? { traits: told.traits } : {}),
      context: { externalIds },
      timestamp: new Date(told.atMs).toISOString(),
    },
  }
}
