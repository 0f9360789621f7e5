import { beforeAll, describe, expect, it } from 'vitest'
import { aClickHouse, aPostgres } from '../../../test/make/engines.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import { stoppedClock } from '../../../platform/clock/clock.ts'
import { silentLog } from '../../../platform/log/log.ts'
import type { PostgresPool } from '../../../platform/postgres/postgres.ts'
import { createIds, systemRandom } from '../../../platform/random/random.ts'
import { createSecrets } from '../../../platform/secrets/secrets.ts'
import { createAudit } from '../../audit/server/index.ts'
import { createConsent, type Consent } from '../../consent/server/index.ts'
import type { SegmentDefinition } from '../contract.ts'
import { createSegments, type Segments } from './index.ts'

const day = 86_400_000
const clock = stoppedClock()
let postgres: PostgresPool
let clickhouse: ClickHouse
let consent: Consent
let segments: Segments

const asked = (state: 'given' | 'not given', topic = 'news-offers'): SegmentDefinition => ({
  match: 'all',
  groups: [{ match: 'all', of: [{ kind: 'consent', topic, state }], not: false }],
})
async function members(definition: SegmentDefinition): Promise<string[]> {
  const found: string[] = []
  for await (const some of segments.members(definition)) found.push(...some)
  return found
}
/** A person in both stores, as profiles keeps them. */
async function person(id: string, email: string | null, version = 1): Promise<void> {
  await postgres.query(
    `INSERT INTO profiles.profile VALUES ($1, '{}', $1, $2, NULL, NULL, NULL, $3, $3, $4) ON CONFLICT (id) DO UPDATE SET email = excluded.email`,
    [id, email, clock.now(), version],
  )
  await clickhouse.insert(
    'profile',
    [
      {
        profile_id: id,
        version,
        removed: 0,
        traits: {},
        email: email ?? '',
        first_seen_at: clock.now().toISOString(),
        last_seen_at: clock.now().toISOString(),
      },
    ],
    { token: `${id} ${String(version)}` },
  )
}
const addressOf = (id: string) => `${id}@Fjörd.example`
let count = 0
const says = (name: string, email: string, properties: object = {}) =>
  consent.recordEvents([
    {
      sourceId: 'source_list',
      messageId: `m${String((count += 1))}`,
      type: 'track',
      name,
      externalIds: [],
      traits: {},
      properties: { email, topic: 'News & Offers', ...properties },
      context: {},
      originalMs: clock.ms() - 1,
      timeMs: clock.ms() - 1,
      receivedMs: clock.ms(),
    },
  ])
const ref = (id: string) => ({
  message: `message_${id}`,
  addressKey: consent.addressKey(addressOf(id)),
  topic: 'news-offers',
})

beforeAll(async () => {
  ;[postgres, clickhouse] = await Promise.all([aPostgres(), aClickHouse()])
  const audit = createAudit({ postgres, clock })
  consent = createConsent({
    postgres,
    clock,
    secrets: createSecrets(systemRandom.bytes(32), systemRandom),
    audit,
    log: silentLog,
    publicUrl: () => 'https://interlock.example/',
    sourceKind: () => Promise.resolve('newsletter'),
    changed: () => Promise.resolve(),
  })
  segments = createSegments({
    postgres,
    clickhouse,
    clock,
    ids: createIds(clock, systemRandom),
    audit,
    profiles: {
      traitsOf: () => Promise.resolve(new Map()),
      get: () => Promise.reject(new Error('nobody is looked at here')),
    },
    consent,
    log: silentLog,
    changed: () => Promise.resolve(),
  })
})

describe('people who may be mailed about a topic', () => {
  it('are those whom the sender would mail, whichever way they said so', async () => {
    for (const id of ['agreed', 'clicked', 'chose', 'bounced', 'denied', 'withdrew', 'stopped', 'silent'])
      await person(id, addressOf(id).toLowerCase())
    await person('nowhere', null)
    for (const id of ['agreed', 'clicked', 'bounced', 'withdrew', 'stopped'])
      await says(id === 'bounced' ? 'Consent Granted' : 'Consent Given', addressOf(id))
    await says('Consent Denied', addressOf('denied'))
    expect(await members(asked('given'))).toEqual(['agreed', 'bounced', 'clicked', 'stopped', 'withdrew'])

    await clock.advance(day)
    await consent.unsubscribe(ref('clicked'), 'topic', 'one-click')
    await consent.unsubscribe(ref('stopped'), 'marketing', 'page')
    await consent.choose(ref('chose'), new Set(['news-offers']))
    await says('Consent Withdrawn', addressOf('withdrew'), { topic: 'news offers' })
    await postgres.transaction((tx) =>
      consent.suppress(tx, { addressKey: ref('bounced').addressKey, scope: '*', reason: 'bounced', source: '5.1.1' }),
    )
    const given = ['agreed', 'chose']
    expect(await members(asked('given'))).toEqual(given)
    expect(await members(asked('given', 'News & Offers'))).toEqual(given)
    expect(await members(asked('not given'))).toEqual([
      'bounced',
      'clicked',
      'denied',
      'nowhere',
      'silent',
      'stopped',
      'withdrew',
    ])
    expect(await segments.size(asked('given'))).toMatchObject({ people: 2, of: 9 })
    expect((await segments.sample(asked('given'), 8)).toSorted()).toEqual(given)
    expect((await segments.preview(asked('given'))).says).toBe('People who may be mailed about “news-offers”.')
    for (const id of ['agreed', 'clicked', 'chose', 'bounced', 'denied', 'withdrew', 'stopped', 'silent']) {
      const standing = await consent.standing(ref(id).addressKey)
      expect(given.includes(id), id).toBe(standing.topics.find((topic) => topic.id === 'news-offers')?.mailable)
    }
  })

  it('follow the address: of somebody who has another one now, the new one counts', async () => {
    await person('moved', 'old@mail.example')
    await says('Consent Given', 'old@mail.example')
    expect(await members(asked('given'))).toContain('moved')
    await person('moved', 'new@mail.example', 2)
    expect(await members(asked('given'))).not.toContain('moved')
    await person('moved', 'old@mail.example', 3)
    expect(await members(asked('given'))).toContain('moved')
  })

  it('are nobody for a topic that nobody knows', async () => {
    expect(await members(asked('given', 'Щерев'))).toEqual([])
  })

  it('are found among 30,000 people, and a complaint counts at the next question', async () => {
    await postgres.query(
      `INSERT INTO profiles.profile SELECT 'p' || n, '{}', '', 'p' || n || '@many.example', NULL, NULL, NULL, now(), now(), 1 FROM generate_series(1, 30000) AS n`,
    )
    await clickhouse.command(
      `INSERT INTO profile (profile_id, version, removed, email) SELECT 'p' || toString(number + 1), 1, 0, 'p' || toString(number + 1) || '@many.example' FROM numbers(30000)`,
    )
    await postgres.transaction((tx) =>
      consent.record(
        tx,
        Array.from({ length: 10_000 }, (_, at) => ({
          email: `p${String(3 * at + 1)}@many.example`,
          topic: 'many',
          state: 'granted' as const,
          basis: 'consent',
          source: 'test',
          at: clock.now(),
          origin: `many ${String(at)}`,
        })),
      ),
    )
    const sizes = await Promise.all([1, 2, 3].map(() => segments.size(asked('given', 'many'))))
    expect(sizes.map((size) => size.people)).toEqual([10_000, 10_000, 10_000])
    await postgres.transaction((tx) =>
      consent.suppress(tx, {
        addressKey: consent.addressKey('p1@many.example'),
        scope: 'marketing',
        reason: 'complained',
        source: 'fbl',
      }),
    )
    expect(await segments.size(asked('given', 'many'))).toMatchObject({ people: 9_999 })
  })
})
