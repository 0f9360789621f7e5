import { brotliCompressSync, gzipSync } from 'node:zlib'
import { seededRandom } from '../../lib/seeded/seeded.ts'

/** One request for the tracking endpoints. */
export interface Shot {
  path: string
  headers: Record<string, string>
  body: Buffer
}

/** Requests as clients send them, and some of the oddest that are still good. */
export function aCorpus(writeKey: string): Shot[] {
  const basic = { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}` }
  const event = {
    type: 'track',
    event: 'Køb',
    userId: 'İsmail-1',
    anonymousId: null,
    properties: { price: 12.5, items: [{ sku: 'a.b', n: 1e21 }], 'a.b': { c: '\u2028' } },
    context: { traits: { email: 'søren@läden.example' }, externalIds: [{ id: 7, type: 'crm_id' }], ip: '203.0.113.1' },
    originalTimestamp: '2026-11-24T10:00:00.000Z',
    sentAt: '2026-11-24T10:00:01.000Z',
  }
  const one = Buffer.from(JSON.stringify(event))
  const batch = Buffer.from(
    JSON.stringify({
      batch: [
        event,
        { ...event, type: 'identify', traits: { '\u0000': '\ud800' } },
        { type: 'alias', userId: 'a', previousId: 'b' },
      ],
      sentAt: event.sentAt,
      context: { app: { name: 'x' } },
      writeKey,
    }),
  )
  return [
    { path: '/v1/track', headers: { ...basic, 'content-type': 'application/json' }, body: one },
    { path: '/v1/t/', headers: { ...basic, 'content-type': 'text/plain' }, body: one },
    { path: '/v1/batch', headers: { ...basic, 'content-type': 'application/json' }, body: batch },
    { path: '/v1/b', headers: { 'content-type': 'text/plain' }, body: batch },
    {
      path: '/v1/batch',
      headers: { ...basic, 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' },
      body: gzipSync(batch),
    },
    { path: '/v1/import', headers: { ...basic, 'content-encoding': 'br' }, body: brotliCompressSync(batch) },
    { path: `/beacon/v1/batch?writeKey=${writeKey}`, headers: { 'content-type': 'text/plain' }, body: batch },
    { path: '/v1/identify', headers: basic, body: Buffer.from(JSON.stringify({ ...event, traits: { age: 41 } })) },
  ]
}

/** Pieces that have broken parsers before. */
const nasty = [
  '\u0000',
  String.raw`\u0000`,
  String.raw`\ud800`,
  '"__proto__":{"x":1},',
  '"constructor":{"prototype":{"x":1}},',
  '1e999',
  '-0',
  '99999999999999999999',
  '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[',
  '{"batch":[',
  '"+275760-09-13T00:00:00Z"',
  '"+999999-01-01"',
  '"0001-01-01"',
  '\ufeff',
].map((text) => Buffer.from(text))
const broken = [[0xff], [0xc0, 0xaf], [0xe0, 0x80, 0xaf], [0xed, 0xa0, 0x80], [0xf0, 0x80, 0x80, 0xaf]].map((bytes) =>
  Buffer.from(bytes),
)

/** Endless changed requests; the same seed gives the same. */
export function mutations(corpus: readonly Shot[], seed: number): () => Shot {
  const chance = seededRandom(seed)
  const below = (limit: number) => Math.floor(chance() * limit)
  const oneOf = <Of>(all: readonly Of[]): Of => all[below(all.length)] as Of

  function change(body: Buffer): Buffer {
    const at = below(body.length + 1)
    switch (below(6)) {
      case 0: {
        const flipped = Buffer.from(body)
        if (flipped.length > 0) flipped[Math.min(at, flipped.length - 1)]! ^= 1 << below(8)
        return flipped
      }
      case 1:
        return body.subarray(0, at)
      case 2:
        return Buffer.concat([body.subarray(0, at), oneOf(nasty), body.subarray(at)])
      case 3:
        return Buffer.concat([body.subarray(0, at), oneOf(broken), body.subarray(at)])
      case 4:
        return Buffer.concat([body.subarray(0, at), body.subarray(below(at + 1), at), body.subarray(at)])
      default:
        return Buffer.concat([body.subarray(0, at), body.subarray(Math.min(body.length, at + below(40)))])
    }
  }

  return () => {
    const { path, headers, body } = oneOf(corpus)
    let changed = body
    for (let times = 1 + below(4); times > 0; times--) changed = change(changed)
    const encoding =
      below(20) === 0 ? { 'content-encoding': oneOf(['gzip', 'br', 'zstd', 'deflate', 'compress', 'utf-8']) } : {}
    const key =
      below(50) === 0 ? { authorization: `Basic ${change(Buffer.from('il_src_nobody:')).toString('base64')}` } : {}
    return { path, headers: { ...headers, ...encoding, ...key }, body: changed }
  }
}
