import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aCorpus, mutations } from '../../../test/conformance/mutations.ts'
import { aCollectServer, type CollectServer, type Response } from '../../../test/make/collect-server.ts'
import { limits } from './scan.ts'

/** Inputs that were made to break something; the ids are those of the catalogue of hostile tests, part A. */

let server: CollectServer
let port = 0
beforeAll(async () => {
  server = await aCollectServer({ kind: 'web' })
  await server.app.listen({ host: '127.0.0.1', port: 0 })
  port = (server.app.server.address() as AddressInfo).port
})
afterAll(async () => {
  // Whatever came: nothing is lost and nothing is uncounted.
  await server.collect.drained()
  const { total, lost } = await server.collect.ledger()
  const { received, stored, deduplicated, quarantined, rejected, inFlight } = total
  expect({ lost, residue: received - stored - deduplicated - quarantined - rejected - inFlight }).toEqual({
    lost: 0,
    residue: 0,
  })
  await server.close()
})

const track = (event: string, more: object = {}) => ({ type: 'track', event, userId: 'zoë', ...more })
const said = (answer: Response) => [answer.statusCode, answer.json<{ code?: string }>().code]
async function stored(name: string) {
  await server.collect.drained()
  return server.clickhouse.query<Record<string, unknown>>(
    'SELECT * FROM event WHERE name = {name:String} ORDER BY position',
    { name },
  )
}

describe('text that is none (A02)', () => {
  it.each([
    ['ff', [0xff]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong slash in three bytes', [0xe0, 0x80, 0xaf]],
    ['half a pair in UTF-8', [0xed, 0xa0, 0x80]],
    ['an overlong slash in four bytes', [0xf0, 0x80, 0x80, 0xaf]],
  ])('%s is stored as U+FFFD', async (what, bytes) => {
    const [before, after] = JSON.stringify(track(`bytes ${what}`, { properties: { p: '«»' } })).split('«»')
    const body = Buffer.concat([Buffer.from(`${before}<`), Buffer.from(bytes), Buffer.from(`>${after}`)])
    expect((await server.send('/v1/track', body)).statusCode).toBe(200)
    const [row] = await stored(`bytes ${what}`)
    expect(row).toMatchObject({ properties: { p: expect.stringMatching(/^<\ufffd+>$/) } })
  })

  it('half a surrogate pair, escaped, is stored as U+FFFD', async () => {
    const body = String.raw`{"event":"halves","userId":"u","properties":{"a":"\ud800","b":"\uD83D\ub000"}}`
    expect((await server.send('/v1/track', body)).statusCode).toBe(200)
    expect(await stored('halves')).toMatchObject([{ properties: { a: '\ufffd', b: '\ufffd\ub000' } }])
  })
})

describe('JSON that is too deep or too wide', () => {
  it.each([
    ['arrays', `{"event":"x","properties":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`],
    ['objects', `{"event":"x","properties":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`],
  ])('100,000 levels of %s are refused before anything parses them (A04)', async (_what, body) => {
    expect(said(await server.send('/v1/track', body))).toEqual([400, 'too_deep'])
  })

  it('in a batch, the deep one alone is put aside (A04)', async () => {
    const deep = `{"type":"track","event":"x","userId":"u","properties":{"a":${'['.repeat(1000)}${']'.repeat(1000)}}}`
    const answer = await server.send('/v1/batch', `{"batch":[${deep},${JSON.stringify(track('beside deep'))}]}`)
    expect(answer.json()).toMatchObject({ accepted: 1, quarantined: [{ index: 0, reason: 'too_deep' }] })
    expect(await stored('beside deep')).toHaveLength(1)
  })

  it('a million keys are refused by their size, 5,000 keys in 30 KB by their number; others have their turn (A05)', async () => {
    const keys = (count: number) => Array.from({ length: count }, (_, at) => `"${at.toString(36)}x":1`).join(',')
    expect(said(await server.send('/v1/track', `{"event":"x","properties":{${keys(1_000_000)}}}`))).toEqual([
      413,
      'too_large',
    ])
    expect(said(await server.send('/v1/track', `{"event":"x","properties":{${keys(5000)}}}`))).toEqual([
      400,
      'too_many_keys',
    ])
    const wide = `{"type":"track","event":"x","userId":"u","properties":{${keys(5000)}}}`
    const answer = await server.send('/v1/batch', `{"batch":[${wide},${JSON.stringify(track('beside wide'))}]}`)
    expect(answer.json()).toMatchObject({ accepted: 1, quarantined: [{ index: 0, reason: 'too_many_keys' }] })
  })
})

describe('keys that reach for a prototype (A06)', () => {
  it('are left out, however they are written, and everything else is stored', async () => {
    for (const traps of [
      '"__proto__":{"canary":1}',
      String.raw`"\u005f_proto__":{"canary":1}`,
      '"constructor":{"prototype":{"canary":1}}',
    ]) {
      const body = `{"event":"trap","userId":"u",${traps},"properties":{${traps},"kept":1},"context":{${traps}},"traits":{${traps}}}`
      expect((await server.send('/v1/track', body)).statusCode).toBe(200)
      expect((await server.send('/v1/batch', `{"batch":[${body}],"context":{${traps}},${traps}}`)).statusCode).toBe(200)
    }
    const rows = await stored('trap')
    expect(rows.length).toBeGreaterThan(0)
    for (const row of rows) expect(row['properties']).toEqual({ kept: '1' })
    expect(Reflect.get({}, 'canary')).toBeUndefined()
  })

  it('in a query are text like any other', async () => {
    const key = server.source.writeKey
    const url = `/pixel/v1/track?writeKey=${key}&userId=u&event=query&a[__proto__][x]=1&__proto__=2&constructor.prototype.x=3`
    expect((await server.app.inject({ url })).statusCode).toBe(200)
    expect(await stored('query')).toHaveLength(1)
    expect(Reflect.get({}, 'x')).toBeUndefined()
  })
})

describe('times that no store can hold (A08)', () => {
  it('are stored clamped and flagged, in the event’s own time too', async () => {
    const times = [
      '0001-01-01',
      '1899-12-31T23:59:59Z',
      '2107-01-01',
      '9999-12-31',
      '+275760-09-13T23:59:60Z',
      '+999999-01-01',
      '2026-02-30',
    ]
    const batch = times.map((originalTimestamp) => track('odd times', { originalTimestamp, sentAt: originalTimestamp }))
    expect((await server.send('/v1/batch', { batch })).json()).toMatchObject({ accepted: times.length })
    const rows = await stored('odd times')
    expect(rows).toHaveLength(times.length)
    for (const [at, row] of rows.entries()) {
      // 2107 is a year that the store holds: the clocks agree, so the event is of now and its own time stays what it was.
      if (times[at] === '2107-01-01')
        expect(row).toMatchObject({ clamped: 0, original_time: '2107-01-01 00:00:00.000' })
      else expect(row['clamped'], times[at]).toBe(1)
      expect(String(row['time'])).not.toContain('2106')
    }
  })
})

describe('what unpacks to more than anyone has room for (A09)', () => {
  it('a gigabyte in a megabyte stops at the limit, without the memory', async () => {
    const member = gzipSync(Buffer.alloc(16 * 1024 * 1024))
    const bomb = Buffer.concat(Array.from({ length: 64 }, () => member))
    const before = process.resourceUsage().maxRSS
    expect(said(await server.send('/v1/batch', bomb, { 'content-encoding': 'gzip' }))).toEqual([413, 'too_large'])
    expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(64)
  })

  it('packed twice, cut, or not what it says, it is refused; packed in parts it is read', async () => {
    const body = Buffer.from(JSON.stringify(track('in parts')))
    const zeros = Buffer.alloc(32 * 1024 * 1024)
    for (const [bytes, encoding, expected] of [
      [gzipSync(gzipSync(zeros)), 'gzip', [400, 'malformed_json']],
      [brotliCompressSync(zeros), 'br', [413, 'too_large']],
      [deflateSync(zeros), 'deflate', [413, 'too_large']],
      [zstdCompressSync(zeros), 'zstd', [413, 'too_large']],
      [gzipSync(body).subarray(0, 40), 'gzip', [400, 'bad_encoding']],
      [brotliCompressSync(body), 'zstd', [400, 'bad_encoding']],
      [Buffer.from([1, 2, 3]), 'deflate', [400, 'bad_encoding']],
      [Buffer.concat([gzipSync(body.subarray(0, 20)), gzipSync(body.subarray(20))]), 'gzip', [200, undefined]],
    ] as [Buffer, string, [number, string | undefined]][]) {
      expect(said(await server.send('/v1/track', bytes, { 'content-encoding': encoding })), encoding).toEqual(expected)
    }
    expect(await stored('in parts')).toHaveLength(1)
  })
})

describe('content types that lie (A10)', () => {
  it('change nothing: JSON is read as JSON, over a real socket, and anything else is refused', async () => {
    const json = JSON.stringify(track('content type', { writeKey: server.source.writeKey }))
    for (const type of [
      '',
      'Content-Type: text/plain\r\n',
      'Content-Type: application/json\tx\r\n',
      'Content-Type:  application/json garbage, x\r\n',
      'Content-Type: multipart/form-data\r\n',
      'Content-Type: ;;\r\n',
    ]) {
      expect(await post('/v1/track', type, Buffer.from(json)), type).toMatch(/^HTTP\/1.1 200/)
    }
    expect(await stored('content type')).toHaveLength(6)
    const multipart = Buffer.from('--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n{}\r\n--x--')
    expect(await post('/v1/track', 'Content-Type: multipart/form-data; boundary=x\r\n', multipart)).toMatch(
      /^HTTP\/1.1 40[01]/,
    )
    for (const body of [Buffer.from(json, 'utf16le'), multipart]) {
      expect(
        said(await server.send('/v1/track', body, { 'content-type': 'application/json; charset=utf-16' }))[0],
      ).toBe(400)
    }
  })

  it('and a path in a body is text', async () => {
    const answer = await server.send('/v1/track', {
      ...track('a path'),
      properties: { 'files[x].filepath': '/etc/passwd' },
      files: { x: { filepath: '/etc/passwd' } },
    })
    expect(answer.statusCode).toBe(200)
    expect(JSON.stringify(await stored('a path'))).not.toContain('root:')
  })
})

describe('the limits, to the byte (A11)', () => {
  const sized = (name: string, bytes: number) => {
    const empty = Buffer.byteLength(JSON.stringify(track(name, { p: '' })))
    return JSON.stringify(track(name, { p: 'x'.repeat(bytes - empty) }))
  }

  it('an event of 256 KiB is stored and one byte more puts it alone aside', async () => {
    const [fits, over] = [sized('fits', limits.eventBytes), sized('over', limits.eventBytes + 1)]
    expect([Buffer.byteLength(fits), Buffer.byteLength(over)]).toEqual([limits.eventBytes, limits.eventBytes + 1])
    const answer = await server.send('/v1/batch', `{"batch":[${fits},${over},${JSON.stringify(track('beside'))}]}`)
    expect(answer.json()).toMatchObject({ accepted: 2, quarantined: [{ index: 1, reason: 'event_too_large' }] })
    expect([(await stored('fits')).length, (await stored('beside')).length]).toEqual([1, 1])
  })

  it('5,000 events and 8 MiB go in one request, and one more of either is 413; 500 KB are no matter (C7)', async () => {
    const events = (count: number) =>
      `{"batch":[${Array.from({ length: count }, () => '{"type":"page","userId":"u"}').join(',')}]}`
    expect((await server.send('/v1/batch', events(5000))).json()).toMatchObject({ accepted: 5000 })
    expect(said(await server.send('/v1/batch', events(5001)))).toEqual([413, 'too_large'])
    expect(said(await server.send('/v1/batch', events(10_000)))).toEqual([413, 'too_large'])
    const wrapped = (...all: string[]) => `{"batch":[${all.join(',')}]}`
    expect((await server.send('/v1/batch', wrapped(sized('five', 249_990), sized('five', 249_990)))).statusCode).toBe(
      200,
    )
    const many = Array.from({ length: 41 }, () => sized('eight', 200_000))
    const rest = limits.bodyBytes - Buffer.byteLength(wrapped(...many, ''))
    const eight = wrapped(...many, sized('eight', rest))
    expect(Buffer.byteLength(eight)).toBe(limits.bodyBytes)
    expect((await server.send('/v1/batch', eight)).json()).toMatchObject({ accepted: 42, quarantined: [] })
    expect(said(await server.send('/v1/batch', `${eight} `))).toEqual([413, 'too_large'])
  })
})

describe('HTTP that is not one request (A19)', () => {
  const basic = () => `Authorization: Basic ${Buffer.from(`${server.source.writeKey}:`).toString('base64')}\r\n`

  it.each([
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\n{"a":1'],
    ['a length that is none', 'Content-Length: 5x\r\n\r\n{"a":1'],
    ['a folded header', 'X: a\r\n b: c\r\nContent-Length : 0\r\n\r\n'],
  ])('%s is 400', async (_what, rest) => {
    expect(await raw(`POST /v1/track HTTP/1.1\r\nHost: x\r\n${basic()}${rest}`)).toMatch(/^HTTP\/1.1 400/)
  })

  it('100 KB of headers are refused', async () => {
    expect(await raw(`POST /v1/track HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 4(00|31)/,
    )
  })

  it('headers that never end are 408, a body that never comes is 503 with Retry-After, and others are served meanwhile', async () => {
    const own = await aCollectServer({ patience: { stillMs: 1000, uploadMs: 2000 } })
    await own.app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = own.app.server.address() as AddressInfo
    const key = `Authorization: Basic ${Buffer.from(`${own.source.writeKey}:`).toString('base64')}\r\n`
    const slow = Array.from({ length: 200 }, (_, at) =>
      raw(
        at % 2 === 0
          ? 'POST /v1/track HTTP/1.1\r\nHost: x\r\nX-A: '
          : `POST /v1/track HTTP/1.1\r\nHost: x\r\n${key}Content-Length: 50\r\n\r\n{"a`,
        port,
      ),
    )
    for (let number = 0; number < 20; number++) {
      expect(await post('/v1/track', key, Buffer.from(JSON.stringify(track('meanwhile'))), port)).toMatch(
        /^HTTP\/1.1 200/,
      )
    }
    const answers = await Promise.all(slow)
    // Two of the four SDKs drop what met a 408: whoever brings events is told to come again.
    for (const [at, answer] of answers.entries()) {
      if (at % 2 === 0) expect(answer).toMatch(/^HTTP\/1.1 408/)
      else expect(answer).toMatch(/^HTTP\/1.1 503 [^]*Retry-After: 2\r\n/)
    }
    await own.collect.drained()
    expect((await own.collect.ledger()).total).toMatchObject({ stored: 20, inFlight: 0 })
    await own.close()
  })

  it('a body whose sender goes away in the middle is counted as refused, and not waited for', async () => {
    const own = await aCollectServer()
    await own.app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = own.app.server.address() as AddressInfo
    const key = `Authorization: Basic ${Buffer.from(`${own.source.writeKey}:`).toString('base64')}\r\n`
    const socket = connect({ host: '127.0.0.1', port })
    const taken = new Promise((resolve) => own.app.server.once('request', resolve))
    socket.write(`POST /v1/track HTTP/1.1\r\nHost: x\r\n${key}Content-Length: 50\r\n\r\n{"event":`)
    await taken
    socket.destroy()
    await expect
      .poll(async () => (await own.collect.ledger()).total, { timeout: 20_000 })
      .toMatchObject({ received: 1, rejected: 1, inFlight: 0 })
    await own.close()
  })

  it('a key with what no key has in it is unknown, and not our trouble', async () => {
    for (const key of ['\0', 'a\0b', '\ud800', 'ключ', 'x'.repeat(5000)]) {
      const authorization = `Basic ${Buffer.from(`${key}:`).toString('base64')}`
      expect(said(await server.send('/v1/track', track('x'), { authorization })), JSON.stringify(key)).toEqual([
        401,
        'unknown_write_key',
      ])
      expect(said(await server.send('/v1/track', track('x', { writeKey: key }), { authorization: '' }))).toEqual([
        401,
        'unknown_write_key',
      ])
    }
  })
})

describe('requests with something wrong in them (A20)', () => {
  it('never get an answer that blames us, and what is readable is stored once', async () => {
    const next = mutations(aCorpus(server.source.writeKey), 20_261_124)
    const statuses = new Map<number, number>()
    for (let number = 0; number < 4000; number++) {
      const { path, headers, body } = next()
      const { statusCode } = await server.app.inject({ method: 'POST', url: path, headers, payload: body })
      statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1)
    }
    expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([])
    expect(statuses.get(200)).toBeGreaterThan(0)
    expect(statuses.get(400)).toBeGreaterThan(0)
    await server.collect.drained()
  })
})

/** Speaks bytes, hears until the server ends the connection. */
function raw(bytes: string | Buffer, at = port): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(at, '127.0.0.1')
    let heard = ''
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      resolve(heard)
    })
    socket.write(bytes)
  })
}
const post = (path: string, headers: string, body: Buffer, at = port) =>
  raw(
    Buffer.concat([
      Buffer.from(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}Content-Length: ${String(body.length)}\r\n\r\n`,
      ),
      body,
    ]),
    at,
  )
