import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'

let server: CollectServer
beforeAll(async () => {
  server = await aCollectServer({ kind: 'web' })
})
afterAll(() => server.close())

const captures = join(import.meta.dirname, '../../../../shared/data/sdk-captures')
interface Captured {
  method: string
  url: string
  headers: Record<string, string>
  body: string
}

describe.skipIf(!existsSync(captures))('requests that the real SDKs sent (../shared/data/sdk-captures)', () => {
  it.each([
    'seg-node',
    'seg-web-standard',
    'seg-web-batch',
    'rud-node-gztrue',
    'rud-node-gzfalse',
    'rud-web-std',
    'rud-web-batch',
    'rud-web-beacon',
  ])('%s: every one is answered, every event is stored', async (name) => {
    const file = JSON.parse(readFileSync(join(captures, `${name}.json`), 'utf8')) as Captured[] | { all: Captured[] }
    const requests = Array.isArray(file) ? file : file.all
    const ids = new Set<string>()
    for (const { method, url, headers, body } of requests) {
      const answer = await server.app.inject({
        method: method as 'POST',
        url: url.replaceAll(/wk_(?:web|test)/g, server.source.writeKey),
        headers: {
          ...Object.fromEntries(
            Object.entries(headers).filter(
              ([header]) => !['content-length', 'host', 'connection', 'accept-encoding'].includes(header),
            ),
          ),
          ...(headers['authorization'] === undefined
            ? {}
            : { authorization: `Basic ${Buffer.from(`${server.source.writeKey}:`).toString('base64')}` }),
        },
        ...(body === ''
          ? {}
          : {
              payload:
                headers['content-encoding'] === 'gzip'
                  ? gzipSync(body)
                  : body.replaceAll(/wk_(?:web|test)/g, server.source.writeKey),
            }),
      })
      expect([200, 204], `${method} ${url}: ${answer.body}`).toContain(answer.statusCode)
      if (method !== 'POST' || url.includes('/v1/m')) continue
      const sent = JSON.parse(body) as { batch?: { messageId: string }[]; messageId: string }
      for (const one of sent.batch ?? [sent]) ids.add(one.messageId)
      expect(answer.json()).toMatchObject({ success: true, quarantined: [] })
    }
    await server.collect.drained()
    const [row] = await server.clickhouse.query<{ events: string; people: string }>(
      'SELECT count() AS events, uniqExact(message_id) AS people FROM event WHERE message_id IN {ids:Array(String)}',
      { ids: [...ids] },
    )
    expect(row).toEqual({ events: String(ids.size), people: String(ids.size) })
    expect(ids.size).toBeGreaterThan(0)
  })
})
