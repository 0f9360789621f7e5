import fastify from 'fastify'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { directoryFiles } from '../../../platform/journal/files.ts'
import { openJournal } from '../../../platform/journal/open-journal.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { systemRandom } from '../../../platform/random/random.ts'
import { createSecrets } from '../../../platform/secrets/secrets.ts'
import { createCollectNode, readBrowserLibrary, relayEndpoint, trackingEndpoints } from './index.ts'

const secrets = createSecrets(Buffer.from('the secret that all nodes of an installation share'), systemRandom)
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

type Way = (path: string, request: { headers: Record<string, string>; body: Buffer }) => Promise<number>

/** The process that stores, as its nodes reach it. */
async function theStore(changes: Parameters<typeof aCollectServer>[0] = {}) {
  const server = await aCollectServer(changes)
  closing.push(() => server.close())
  const app = fastify({ logger: false })
  await app.register(relayEndpoint({ collect: server.collect, secrets, now: () => systemClock.ms() }))
  const way: Way = async (path, request) =>
    (await app.inject({ method: 'POST', url: path, headers: request.headers, payload: request.body })).statusCode
  return { server, way }
}

/** A node with a journal of its own in a folder of its own. */
async function aNode(server: CollectServer, way: Way, folder?: string) {
  const own = folder ?? (await mkdtemp(join(tmpdir(), 'interlock-node-')))
  if (folder === undefined) afterAll(() => rm(own, { recursive: true, force: true }))
  const journal = await openJournal(
    { files: await directoryFiles(own), clock: systemClock, random: systemRandom, log: silentLog },
    { minFreeBytes: 0 },
  )
  const node = createCollectNode({
    postgres: server.postgres,
    journal,
    clock: systemClock,
    log: silentLog,
    registry: new Registry(),
    secrets,
    post: (path, request) => way(path, request),
  })
  const app = fastify({ logger: false })
  await app.register(
    trackingEndpoints({
      collect: node,
      sources: server.sources,
      now: () => systemClock.ms(),
      log: silentLog,
      library: await readBrowserLibrary(),
    }),
  )
  let open = true
  const close = async () => {
    if (!open) return
    open = false
    await node.stop()
    await journal.close()
  }
  closing.push(close)
  return {
    node,
    folder: own,
    close,
    send: async (events: unknown[]) =>
      (
        await app.inject({
          method: 'POST',
          url: '/v1/batch',
          headers: { authorization: `Basic ${Buffer.from(`${server.source.writeKey}:`).toString('base64')}` },
          payload: JSON.stringify({ batch: events }),
        })
      ).statusCode,
  }
}

const many = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    type: 'track',
    event: 'Seen',
    userId: `u${String(index % 7)}`,
    messageId: `${prefix}-${String(index)}`,
  }))
const stored = async (server: CollectServer) => {
  await server.collect.drained()
  const [row] = await server.clickhouse.query<{ events: string; messages: string }>(
    'SELECT count() AS events, uniqExact(message_id) AS messages FROM event',
  )
  return [Number(row?.events), Number(row?.messages)]
}

describe('nodes that only take events in', () => {
  it('hand on to the one that stores, each from its own journal, and the ledger adds up', async () => {
    const { server, way } = await theStore()
    const [north, south] = [await aNode(server, way), await aNode(server, way)]
    for (const one of [north, south]) one.node.start()
    expect([await north.send(many('north', 40)), await south.send(many('south', 60))]).toEqual([200, 200])
    await Promise.all([north.node.drained(), south.node.drained()])
    expect(await stored(server)).toEqual([100, 100])
    expect((await server.collect.ledger()).total).toMatchObject({ received: 100, stored: 100, inFlight: 0 })
    expect((await server.collect.ledger()).lost).toBe(0)
  })

  it('take events while the one that stores is away, and hand them on when it is back', async () => {
    const { server, way } = await theStore()
    let away = true
    const { node, send } = await aNode(server, (...sent) =>
      away ? Promise.reject(new Error('connection refused')) : way(...sent),
    )
    node.start()
    expect(await send(many('away', 30))).toBe(200)
    expect(node.health()).toMatchObject({ ok: true, inFlight: 30 })
    away = false
    await node.drained()
    expect(await stored(server)).toEqual([30, 30])
  })

  it('send a batch again whose answer was lost, and it is taken once (C04)', async () => {
    const { server, way } = await theStore()
    let answers = 0
    const { node, send } = await aNode(server, async (...sent) => {
      const status = await way(...sent)
      answers += 1
      return answers === 1 ? Promise.reject(new Error('the connection broke')) : status
    })
    node.start()
    // Without message ids: the node gives each its own, the same every time.
    expect(await send(Array.from({ length: 20 }, () => ({ type: 'track', event: 'Seen', userId: 'u' })))).toBe(200)
    await node.drained()
    expect(answers).toBeGreaterThan(1)
    expect(await stored(server)).toEqual([20, 20])
    expect((await server.collect.ledger()).total).toMatchObject({ stored: 20, deduplicated: 0 })
  })

  it('lose nothing and double nothing when the batch was taken but not written down as taken', async () => {
    const { server, way } = await theStore()
    let first = true
    const { node, send } = await aNode(server, async (...sent) => {
      const status = await way(...sent)
      if (!first) return status
      first = false
      await server.postgres.query('DELETE FROM collect.relayed')
      throw new Error('the process was killed')
    })
    node.start()
    expect(await send(Array.from({ length: 5 }, () => ({ type: 'track', event: 'Seen', userId: 'u' })))).toBe(200)
    await node.drained()
    expect(await stored(server)).toEqual([5, 5])
    expect((await server.collect.ledger()).lost).toBe(0)
  })

  it('hand on what an earlier life acknowledged', async () => {
    const { server, way } = await theStore()
    const before = await aNode(server, () => Promise.reject(new Error('away')))
    before.node.start()
    expect(await before.send(many('earlier', 10))).toBe(200)
    await before.close()
    const after = await aNode(server, way, before.folder)
    after.node.start()
    await after.node.drained()
    expect(await stored(server)).toEqual([10, 10])
  })

  it('are known by the secret: what anybody else sends is not taken', async () => {
    const { server, way } = await theStore()
    const stranger = createSecrets(Buffer.from('another secret of at least thirty-two'), systemRandom)
    const statuses: number[] = []
    const { node, send } = await aNode(server, async (path, request) => {
      const bent = [
        { ...request, headers: { ...request.headers, 'x-interlock-tag': stranger.sign('relay', 'x') } },
        { ...request, body: Buffer.concat([request.body.subarray(0, -1), Buffer.from('x')]) },
        { ...request, headers: { ...request.headers, 'x-interlock-to': '999' } },
        { ...request, headers: { ...request.headers, 'x-interlock-at': '1' } },
      ]
      for (const one of bent) statuses.push(await way(path, one))
      return way(path, request)
    })
    node.start()
    expect(await send(many('true', 3))).toBe(200)
    await node.drained()
    expect(statuses).toEqual([401, 401, 401, 401])
    expect(await stored(server)).toEqual([3, 3])
  })
})
