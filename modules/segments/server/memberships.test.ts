import { beforeAll, describe, expect, it } from 'vitest'
import { aClickHouse, aPostgres } from '../../../test/make/engines.ts'
import type { Id } from '../../../lib/ids/ids.ts'
import { stoppedClock } from '../../../platform/clock/clock.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import { silentLog } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { SegmentDefinition } from '../contract.ts'
import { createMemberships, type Memberships } from './memberships.ts'

const day = 86_400_000
const clock = stoppedClock()
let postgres: Postgres
let clickhouse: ClickHouse
let memberships: Memberships
let version = 0

const buyers = {
  id: 'segment_buyers' as Id<'segment'>,
  definition: {
    match: 'all',
    groups: [
      {
        match: 'all',
        not: false,
        of: [
          {
            kind: 'event',
            name: 'Order',
            times: { is: 'at least', count: 1 },
            window: { kind: 'last', days: 7 },
            where: [],
          },
        ],
      },
    ],
  } satisfies SegmentDefinition as SegmentDefinition,
}

async function person(id: string, removed = 0): Promise<void> {
  version += 1
  const at = clock.now().toISOString()
  await clickhouse.insert(
    'profile',
    [{ profile_id: id, version, removed, traits: {}, email: '', first_seen_at: at, last_seen_at: at }],
    { token: `person ${String(version)}` },
  )
}
async function orders(id: string): Promise<void> {
  version += 1
  const at = clock.now().toISOString()
  const times = { time: at, original_time: at, sent_at: at, received_at: at }
  const row = { source_id: 's', message_id: String(version), type: 'track', name: 'Order', profile_id: id, ...times }
  await clickhouse.insert(
    'event',
    [{ ...row, clamped: 0, traits: {}, properties: {}, context: {}, position: version }],
    { token: `order ${String(version)}` },
  )
}

beforeAll(async () => {
  ;[postgres, clickhouse] = await Promise.all([aPostgres(), aClickHouse()])
  memberships = createMemberships({
    postgres,
    clickhouse,
    clock,
    log: silentLog,
    all: () => Promise.resolve([buyers]),
    upToDate: () => Promise.resolve(),
  })
})

describe('who is in a segment', () => {
  it('comes in with an event, and leaves when the window closes, which nobody said; the first look knows no since', async () => {
    await person('åsa')
    await person('bo')
    await orders('åsa')
    expect(await memberships.look(buyers)).toEqual({ entered: 0, gone: 0 })
    expect((await memberships.ofPerson('åsa')).get(buyers.id)).toEqual({ inside: true, since: null, changes: [] })
    await clock.advance(6 * day)
    await orders('bo')
    expect(await memberships.look(buyers)).toEqual({ entered: 1, gone: 0 })
    const since = clock.now().toISOString()
    await clock.advance(2 * day)
    expect(await memberships.look(buyers)).toEqual({ entered: 0, gone: 1 })
    expect((await memberships.ofPerson('åsa')).get(buyers.id)).toEqual({
      inside: false,
      since: null,
      changes: [{ at: clock.now().toISOString(), entered: false }],
    })
    expect((await memberships.ofPerson('bo')).get(buyers.id)?.since).toBe(since)
  })

  it('neither comes nor goes while nothing changes, however often one looks', async () => {
    for (let n = 0; n < 3; n++) {
      await clock.advance(60_000)
      expect(await memberships.look(buyers)).toEqual({ entered: 0, gone: 0 })
    }
  })

  it('leaves it as the one they were, and is in it as the one whose part they became', async () => {
    await person('cecilia')
    await clickhouse.insert('profile_override', [{ from_profile: 'bo', to_profile: 'cecilia', version: 1 }], {
      token: 'override',
    })
    await person('bo', 1)
    await clock.advance(60_000)
    expect(await memberships.look(buyers)).toEqual({ entered: 1, gone: 1 })
    expect((await memberships.ofPerson('cecilia')).get(buyers.id)?.since).toBe(clock.now().toISOString())
  })

  it('is counted day by day, with how many came and went', async () => {
    const { days, lookedAt } = await memberships.history(buyers.id)
    expect(days.map(({ people, entered, gone }) => [people, entered, gone])).toEqual([
      [1, 0, 0],
      [2, 1, 0],
      [1, 1, 2],
    ])
    expect(lookedAt).toBe(clock.now().toISOString())
    expect(await memberships.history('segment_none' as Id<'segment'>)).toEqual({ days: [], lookedAt: null })
  })

  it('is looked at every minute', async () => {
    memberships.start()
    await orders('åsa')
    await clock.advance(60_000)
    await expect.poll(async () => (await memberships.ofPerson('åsa')).get(buyers.id)?.since).toBeTruthy()
    memberships.stop()
  })
})
