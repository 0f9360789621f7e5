import { afterAll, describe, expect, it } from 'vitest'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'

const order = (total: number, more: object = {}) => ({
  event: 'Köp',
  userId: 'ö1',
  messageId: 'order-1',
  properties: { total },
  ...more,
})

describe('the way of one event', () => {
  let server: CollectServer
  const started = (async () => {
    server = await aCollectServer()
  })()
  afterAll(() => server.close())
  const wayOf = (message: string) => server.collect.way({ source: server.source.id, message })
  const latest = () => server.collect.inspector.recent({ limit: 1 })[0]?.position ?? ''

  it('keeps the first of two bodies under one message id, and records the other as a conflict', async () => {
    await started
    await server.send('/v1/track', order(10, { context: { library: { name: 'kasse', version: '2' } } }))
    await server.collect.drained()
    // A retry says the same, sent at another time.
    await server.send(
      '/v1/track',
      order(10, { sentAt: '2026-01-01T00:00:00Z', context: { library: { name: 'kasse' } } }),
    )
    await server.send('/v1/track', order(99))
    await server.collect.drained()
    const second = latest()
    const { total } = await server.collect.ledger()
    expect(total).toMatchObject({ stored: 1, deduplicated: 2 })
    const page = await server.collect.ledgerPage({ hours: 1 })
    expect(page.reasons).toMatchObject([{ outcome: 'deduplicated', reason: 'other_body', events: 1 }])

    const way = await wayOf('order-1')
    expect(way).toMatchObject({ outcome: 'stored', library: 'kasse 2', asStored: false, large: false })
    expect(JSON.parse(way.raw)).toMatchObject({ properties: { total: 10 } })
    expect(way.conflicts).toMatchObject([{ differs: ['properties.total'], position: second }])
    const lost = await server.collect.way({ position: second })
    expect(lost).toMatchObject({ outcome: 'deduplicated', reason: 'other_body' })
    expect(lost.steps.find((step) => step.name === 'Seen before?')).toMatchObject({
      is: 'warn',
      facts: [{ to: `/sources/events/${way.position}` }, { says: 'properties.total' }],
    })
  })

  it('records a conflict within one batch, and across a restart', async () => {
    const own = await aCollectServer()
    await own.send('/v1/batch', {
      batch: [
        { type: 'track', ...order(1) },
        { type: 'track', ...order(2) },
      ],
    })
    await own.collect.drained()
    const next = await own.again()
    await next.send('/v1/track', order(3))
    await next.collect.drained()
    const way = await next.collect.way({ source: next.source.id, message: 'order-1' })
    expect(way.conflicts.map((one) => one.differs)).toEqual([['properties.total'], ['properties.total']])
    expect(JSON.parse(way.raw)).toMatchObject({ properties: { total: 1 } })
    await next.close()
  })

  it('accepts an event over 32 KB, flags it and counts it', async () => {
    await started
    const before = (await server.collect.ledgerPage({ hours: 1 })).large
    await server.send('/v1/track', order(1, { messageId: 'large', properties: { text: 'å'.repeat(20_000) } }))
    await server.collect.drained()
    expect(await wayOf('large')).toMatchObject({ outcome: 'stored', large: true })
    expect((await server.collect.ledgerPage({ hours: 1 })).large).toBe(before + 1)
    expect((await server.collect.ledger()).lost).toBe(0)
  })

  it('says why an event was put aside, how its time came about, and finds it in the store when the journal let it go', async () => {
    await started
    await server.send('/v1/track', { event: 'Niemand', messageId: 'nobody' })
    await server.collect.drained()
    const aside = await server.collect.way({ position: latest() })
    expect(aside).toMatchObject({ outcome: 'quarantined', reason: 'no_identifier' })
    expect(aside.steps.at(-1)?.says).toMatch(/^Not stored; kept in the quarantine for 90 days: /)

    await server.send(
      '/v1/track',
      order(1, {
        messageId: 'skewed',
        originalTimestamp: '2001-01-01T00:00:00.000Z',
        sentAt: '2001-01-01T00:00:05.000Z',
      }),
    )
    await server.collect.drained()
    const way = await wayOf('skewed')
    expect(way.timeSays).toMatch(/^Arrived − \(sent − said\) = .*2001-01-01T00:00:05.000Z − 2001-01-01T00:00:00.000Z/)
    expect(Date.parse(way.receivedAt) - Date.parse(way.time ?? '')).toBe(5000)

    // Another life with a journal of its own: only the store knows this event.
    const other = await aCollectServer({ postgres: server.postgres, clickhouse: server.clickhouse })
    await other.collect.drained()
    const stored = await other.collect.way({ source: server.source.id, message: 'skewed' })
    expect(stored).toMatchObject({ outcome: 'stored', asStored: true, time: way.time, messageId: 'skewed' })
    await expect(other.collect.way({ source: server.source.id, message: 'never' })).rejects.toMatchObject({
      code: 'gone',
    })
    await other.close()
  })
})
