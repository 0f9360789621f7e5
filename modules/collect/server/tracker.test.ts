import fastify, { type FastifyInstance } from 'fastify'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { trackerScript } from './tracker.ts'

const script = Buffer.from('window.interlock = "å";\n'.repeat(40))
let app: FastifyInstance
beforeAll(async () => {
  app = fastify()
  await app.register(trackerScript(script))
  afterAll(() => app.close())
})
const ask = (headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
  app.inject({ method, url: '/interlock.js', headers })

describe('the tracker at /interlock.js', () => {
  it('is given to pages of every origin, as a script, without a cookie', async () => {
    const { statusCode, headers, rawPayload } = await ask({ origin: 'https://shop.example' })
    expect(statusCode).toBe(200)
    expect(rawPayload.equals(script)).toBe(true)
    expect(headers).toMatchObject({
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=3600, stale-while-revalidate=86400',
      vary: 'Accept-Encoding',
    })
    expect(headers['set-cookie']).toBeUndefined()
  })

  it.each([
    ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
    ['gzip, br;q=0', 'gzip', gunzipSync],
    ['GZIP', 'gzip', gunzipSync],
    ['identity', undefined, (bytes: Buffer) => bytes],
  ])('to a client that takes “%s” as %s', async (accepted, encoding, unpack) => {
    const { headers, rawPayload } = await ask({ 'accept-encoding': accepted })
    expect(headers['content-encoding']).toBe(encoding)
    expect(unpack(rawPayload).equals(script)).toBe(true)
  })

  it('is not sent again to who has it, in the same form', async () => {
    const { headers } = await ask({ 'accept-encoding': 'br' })
    const tag = headers.etag as string
    expect((await ask({ 'accept-encoding': 'br', 'if-none-match': `"other", W/${tag}` })).statusCode).toBe(304)
    expect((await ask({ 'accept-encoding': 'gzip', 'if-none-match': tag })).statusCode).toBe(200)
  })

  it('answers HEAD, and is absent where it was not built', async () => {
    expect((await ask({}, 'HEAD')).statusCode).toBe(200)
    const without = fastify()
    await without.register(trackerScript(undefined))
    expect((await without.inject('/interlock.js')).statusCode).toBe(404)
    await without.close()
  })
})
