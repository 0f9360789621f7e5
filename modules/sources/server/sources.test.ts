import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'
import { aPostgres } from '../../../test/make/engines.ts'
import { stoppedClock } from '../../../platform/clock/clock.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { createIds, systemRandom } from '../../../platform/random/random.ts'
import { createAudit } from '../../audit/server/index.ts'
import { createSources } from './service.ts'

let server: CollectServer
beforeAll(async () => {
  server = await aCollectServer({ stands: true })
})
afterAll(() => server.close())
const caller = { kind: 'person', accountId: 'account_1', name: 'Åsa' } as never
const another = (postgres = server.postgres, registerTool?: Parameters<typeof createSources>[0]['registerTool']) => {
  const clock = stoppedClock()
  const audit = createAudit({ postgres, clock })
  const ids = createIds(clock, systemRandom)
  return {
    clock,
    sources: createSources({
      postgres,
      clock,
      ids,
      random: systemRandom,
      log: silentLog,
      audit,
      ...(registerTool === undefined ? {} : { registerTool }),
    }),
  }
}

describe('sources', () => {
  it('have write keys of their own that open exactly one source, at once and after a restart', async () => {
    const made = await server.sources.create(caller, { name: 'Kassan “ö”', kind: 'server' })
    expect(made.writeKey).toMatch(/^il_src_[0-9a-z]{24}$/)
    expect(server.sources.byWriteKey(made.writeKey)?.id).toBe(made.id)
    const { sources } = another()
    await sources.load()
    expect(sources.byWriteKey(made.writeKey)).toEqual(made)
    expect(sources.byWriteKey('nobody')).toBeUndefined()
    sources.stop()
  })

  it('are unknown to nobody while the keys are not loaded or the database is away: that is 503, never 401', async () => {
    const { sources } = another()
    expect(() => sources.byWriteKey('x')).toThrow(expect.objectContaining({ code: 'busy' }))
    const postgres = await aPostgres()
    const away = { down: false }
    const second = another({
      ...postgres,
      query: (...asked) => (away.down ? Promise.reject(new Error('away')) : postgres.query(...asked)),
    })
    await second.sources.load()
    away.down = true
    await expect(second.sources.lookUpWriteKey('x')).rejects.toMatchObject({ code: 'busy' })
    second.sources.stop()
  })

  it('that another server made a second ago are found by asking', async () => {
    const { sources } = another()
    await sources.load()
    const made = await server.sources.create(caller, { name: 'Just now', kind: 'web' })
    expect(sources.byWriteKey(made.writeKey)).toBeUndefined()
    expect(await sources.lookUpWriteKey(made.writeKey)).toEqual(made)
    sources.stop()
  })

  it('have a limit that can be changed and taken away, each change in the audit log', async () => {
    const made = await server.sources.create(caller, { name: 'Fast', kind: 'web' })
    expect(made.eventsPerSecond).toBe(5000)
    expect((await server.sources.change(caller, made.id, { eventsPerSecond: 20 })).eventsPerSecond).toBe(20)
    expect((await server.sources.change(caller, made.id, { name: 'Faster' })).eventsPerSecond).toBe(20)
    expect((await server.sources.change(caller, made.id, { eventsPerSecond: null })).eventsPerSecond).toBeNull()
    const { sources } = another()
    await sources.load()
    expect(sources.peek(made.id)).toMatchObject({ name: 'Faster', eventsPerSecond: null })
    sources.stop()
    const rows = await server.postgres.query<{ summary: string }>(
      `SELECT body::jsonb->>'summary' AS summary FROM audit.entry WHERE body::jsonb->>'summary' LIKE 'Lets the source%' ORDER BY seq`,
    )
    expect(rows.map((row) => row.summary)).toEqual([
      'Lets the source “Fast” send at most 20 events a second',
      'Lets the source “Faster” send without a limit',
    ])
  })

  it('share no name, and Interlock itself is one that nobody can change and whose key opens nothing', async () => {
    const { sources } = another(undefined, () => Promise.reject(new Error('The register has this name.')))
    await expect(sources.create(caller, { name: 'FASTER', kind: 'web' })).rejects.toMatchObject({
      code: 'conflict',
      message: 'There is a source named “FASTER” already.',
    })
    const internal = server.sources.internal()
    expect(server.sources.byWriteKey(internal.writeKey)).toBeUndefined()
    await expect(server.sources.change(caller, internal.id, { enabled: false })).rejects.toMatchObject({
      code: 'not_now',
    })
  })
})
