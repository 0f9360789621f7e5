import { join } from 'node:path'
import { seededRandom } from '../lib/seeded/seeded.ts'
import { aPropertyHouse, type Kind, type PropertyHouse } from '../test/property/house.ts'
import { aChild } from './parts/child.ts'

/**
 * `npx interlock bench identity`: how many events a second become people, on their way from the journal to both stores; what twenty million identifiers take in
 * memory; how long it takes to tell a person of 500 identifiers apart.
 */
export const name = 'identity'

const [events, people, together, most] = [200_000, 20_000, 2_000, 20_000_000]
const startMs = Date.parse('2026-01-01T00:00:00Z')

export async function run(): Promise<{ figures: Record<string, number>; notes: string[] }> {
  const memory = await aChild(join(import.meta.dirname, 'identity', 'memory.ts'), [String(most)])
  const held = await memory.ask<{ mb: number; seconds: number; size: number; findsPerSecond: number }>('fill')
  await memory.stop()

  const bare = await rate('nothing')
  const whole = await rate('everything')
  const house = await aPropertyHouse()
  let apart: number
  try {
    apart = await tellApart(house)
  } finally {
    await house.close()
  }
  return {
    figures: {
      identifiers_in_memory: held.size,
      memory_mb: Math.round(held.mb),
      fill_seconds: round(held.seconds),
      finds_per_second: Math.round(held.findsPerSecond),
      identity_events_per_second: Math.round(whole.identityPerSecond),
      stored_events_per_second: Math.round(whole.perSecond),
      stored_events_per_second_without_people: Math.round(bare.perSecond),
      people: whole.people,
      unmerge_500_identifiers_ms: Math.round(apart),
    },
    notes: [
      `Memory: ${most.toLocaleString('en-GB')} identifiers, two to a person, each joined with another, in a process of its own; growth of its resident size.`,
      `Events: ${events.toLocaleString('en-GB')} of ${people.toLocaleString('en-GB')} people (one in twelve signs in, with an address; one in five names a user id; the others only a device), taken in, identified, summed up in profiles and stored in PostgreSQL and ClickHouse by this one process; identity_… is what its step alone would let through, with everything it writes; _without_people is the same without identity and profiles.`,
      'Unmerge: a person of 500 identifiers is told apart in two halves, until profiles and both stores say so.',
    ],
  }
}

const round = (value: number) => Math.round(value * 10) / 10

async function rate(
  through: 'everything' | 'nothing',
): Promise<{ perSecond: number; identityPerSecond: number; people: number }> {
  const house = await aPropertyHouse(through)
  try {
    const random = seededRandom(1)
    const below = (n: number) => Math.floor(random() * n)
    const all = Array.from({ length: events }, (_, n) => eventOf(n, below(people), random()))
    // The first ones are the compiler's.
    for (let at = 0; at < 20_000; at += together) await house.say(all.slice(at, at + together))
    const [began, identityBefore] = [performance.now(), house.identityMs]
    const waiting: Promise<void>[] = []
    for (let at = 20_000; at < events; at += together) {
      waiting.push(house.say(all.slice(at, at + together)))
      // As many as wait at once when a source sends in batches.
      if (waiting.length > 8) await waiting.shift()
    }
    await Promise.all(waiting)
    const perSecond = (events - 20_000) / ((performance.now() - began) / 1_000)
    const identityPerSecond = (events - 20_000) / ((house.identityMs - identityBefore) / 1_000)
    const [row] = await house.postgres.query<{ many: string }>('SELECT count(*) AS many FROM profiles.profile')
    return { perSecond, identityPerSecond, people: Number(row?.many) }
  } finally {
    await house.close()
  }
}

function eventOf(n: number, person: number, share: number): { from: Kind; event: object } {
  const timestamp = new Date(startMs + n * 1_000).toISOString()
  const anonymousId = `device-${String(person)}-${String(n % 2)}`
  const userId = `customer-${String(person)}`
  const about = { messageId: `bench-${String(n)}`, timestamp, anonymousId }
  if (share < 1 / 12)
    return {
      from: 'public',
      event: {
        ...about,
        type: 'identify',
        userId,
        traits: { email: `customer-${String(person)}@bench.example`, plan: 'basic' },
      },
    }
  const track = {
    ...about,
    type: 'track',
    event: 'Product Viewed',
    properties: { product_id: `p-${String(n % 500)}`, price: 19.9 },
  }
  return { from: 'public', event: share < 0.3 ? { ...track, userId } : track }
}

/** @returns milliseconds */
async function tellApart(house: PropertyHouse): Promise<number> {
  const of = (n: number) => ({ type: 'anonymous_id', value: `tablet-${String(n)}` })
  const said = Array.from({ length: 499 }, (_, n) => ({
    from: 'trusted' as const,
    event: {
      type: 'track',
      event: 'Order Completed',
      userId: 'a-shop',
      anonymousId: of(n).value,
      messageId: `order-${String(n)}`,
    },
  }))
  await house.say(said)
  const rows = await house.postgres.query<{ no: number }>('SELECT no FROM identity.identifier ORDER BY no')
  const nos = rows.map(({ no }) => no)
  const began = performance.now()
  await house.identity.decide({
    kind: 'split',
    left: nos.slice(0, 250),
    right: nos.slice(250),
    because: 'a bench',
    by: 'account_bench',
  })
  await house.profiles.follow()
  const took = performance.now() - began
  const [now] = await house.postgres.query<{ people: string }>(
    'SELECT count(DISTINCT profile_id) AS people FROM identity.identifier',
  )
  if (Number(now?.people) < 2) throw new Error('They are still one person.')
  return took
}
