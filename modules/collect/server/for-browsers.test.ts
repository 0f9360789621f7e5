import { createRequire } from 'node:module'
import { gunzipSync } from 'node:zlib'
import { readFileSync } from 'node:fs'
import { fastify } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'
import { readBrowserLibrary } from './browser-library.ts'
import { trackingEndpoints } from './endpoints.ts'

let server: CollectServer
beforeAll(async () => {
  server = await aCollectServer({ kind: 'web' })
})
afterAll(() => server.close())
const caller = { kind: 'person', accountId: 'account_1' } as never
const basic = (key: string) => ({ authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` })

/** The endpoints of a server that has just begun: which keys there are is not known yet. */
async function justBegun(publicUrl?: string) {
  const app = fastify()
  const busy = () => {
    throw new Refusal('busy', 'The write keys are not loaded yet.', { retryAfterSeconds: 2 })
  }
  await app.register(
    trackingEndpoints({
      collect: server.collect,
      sources: { byWriteKey: busy, lookUpWriteKey: busy },
      now: () => 0,
      log: silentLog,
      library: await readBrowserLibrary(),
      publicUrl,
    }),
  )
  return app
}

describe('the settings of Segment’s browser SDK (C11)', () => {
  it('send everything to the address that was asked, and reports of the SDK to nobody', async () => {
    const answer = await server.app.inject({
      url: '/v1/projects/anything/settings',
      headers: { host: 'cdp.example:8443', origin: 'https://läden.example' },
    })
    expect(answer.json()).toMatchObject({
      integrations: { 'Segment.io': { apiKey: 'anything', apiHost: 'cdp.example:8443/v1', protocol: 'http' } },
      metrics: { sampleRate: 0 },
    })
    expect(answer.headers).toMatchObject({
      'cache-control': 'public, max-age=60',
      'access-control-allow-origin': 'https://läden.example',
    })
  })

  it('name the public address where there is one, folder and all', async () => {
    const app = await justBegun('https://läden.example/cdp/')
    const answer = await app.inject({ url: '/v1/projects/k/settings' })
    expect(answer.json()).toMatchObject({
      integrations: { 'Segment.io': { apiHost: 'läden.example/cdp/v1', protocol: 'https' } },
    })
  })

  it('are given while the keys are not loaded yet, where an event is told to come again', async () => {
    const app = await justBegun()
    expect((await app.inject({ url: '/v1/projects/k/settings' })).statusCode).toBe(200)
    const config = await app.inject({ url: '/sourceConfig/', headers: basic('k') })
    expect([config.statusCode, config.json().source.enabled]).toEqual([200, true])
    const event = await app.inject({ method: 'POST', url: '/v1/track', headers: basic('k'), payload: '{}' })
    expect([event.statusCode, event.headers['retry-after']]).toEqual([503, '2'])
  })

  it.each(['{"series":[]}', 'not JSON', ''])(
    'reports that come all the same are taken and dropped: “%s”',
    async (body) => {
      for (const url of ['/v1/m', '/v1/m/']) {
        const answer = await server.app.inject({
          method: 'POST',
          url,
          payload: body,
          headers: { 'content-type': 'text/plain' },
        })
        expect([answer.statusCode, answer.json()]).toEqual([200, { success: true }])
      }
    },
  )
})

describe('the script that Segment’s snippet loads (C12)', () => {
  const load = (url: string, headers = {}) => server.app.inject({ url, headers })

  it('is the SDK as it was published, told where it came from, for an hour; then a question with its mark is enough', async () => {
    const path = createRequire(import.meta.url).resolve('@segment/analytics-next/dist/umd/standalone.js')
    const answer = await load('/analytics.js/v1/il_src_x/analytics.min.js')
    expect(answer.body.endsWith(readFileSync(path, 'utf8'))).toBe(true)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=3600',
      'cross-origin-resource-policy': 'cross-origin',
      vary: 'Origin, Accept-Encoding',
    })
    const packed = await load('/analytics.js/v1/il_src_x/analytics.min.js', { 'accept-encoding': 'gzip, br' })
    expect(packed.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(packed.rawPayload).toString()).toBe(answer.body)
    const again = await load('/analytics.js/v1/il_src_y/analytics.min.js', { 'if-none-match': answer.headers['etag'] })
    expect([again.statusCode, again.body]).toEqual([304, ''])
  })

  it('finds its parts here, for as long as a browser likes, and nothing else that is on the disk', async () => {
    const { parts } = await readBrowserLibrary()
    expect(parts.size).toBeGreaterThan(5)
    for (const name of parts.keys()) {
      const answer = await load(`/analytics-next/bundles/${name}`)
      expect([answer.statusCode, answer.headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable'])
    }
    for (const name of ['standalone.js', '..%2f..%2fpackage.json', 'x.bundle.js', '__proto__'])
      expect((await load(`/analytics-next/bundles/${name}`)).statusCode, name).toBe(404)
  })
})

describe('the settings of RudderStack’s browser SDK (C13)', () => {
  it('have what it checks, and stop it when somebody switched the source off', async () => {
    const ask = async (url = '/sourceConfig/?p=npm&v=3.34.1') =>
      (await server.app.inject({ url, headers: basic(server.source.writeKey) })).json()
    for (const url of ['/sourceConfig', '/sourceConfig/?writeKey=']) {
      expect(await ask(url)).toMatchObject({
        source: { id: server.source.id, enabled: true, config: {}, destinations: [] },
      })
    }
    await server.sources.change(caller, server.source.id, { enabled: false })
    expect(await ask()).toMatchObject({ source: { enabled: false } })
    await server.sources.change(caller, server.source.id, { enabled: true })
  })

  it('let an SDK with an unknown key begin: its events are parked', async () => {
    const answer = await server.app.inject({ url: '/sourceConfig/', headers: basic('il_src_mistyped') })
    expect(answer.json()).toMatchObject({ source: { enabled: true, destinations: [] } })
  })
})
