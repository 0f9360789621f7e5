import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'

let server: CollectServer
beforeAll(async () => {
  server = await aCollectServer({ kind: 'web' })
})
afterAll(() => server.close())

const track = (event: string, more: object = {}) => ({ type: 'track', event, userId: 'zoë', ...more })
async function stored(name: string) {
  await server.collect.drained()
  return server.clickhouse.query<Record<string, unknown>>(
    'SELECT * FROM event WHERE name = {name:String} ORDER BY position',
    { name },
  )
}

describe('the tracking endpoints', () => {
  it.each(['identify', 'i', 'track', 't', 'page', 'p', 'screen', 's', 'group', 'g', 'alias', 'a'])(
    'take /v1/%s, with and without a slash at the end, without a redirect (C1)',
    async (path) => {
      const body = { userId: 'u', previousId: 'p', groupId: 'g', event: `via ${path}`, name: `via ${path}` }
      for (const url of [`/v1/${path}`, `/v1/${path}/`]) {
        const answer = await server.send(url, body)
        expect(answer.statusCode).toBe(200)
        expect(answer.json()).toEqual({ success: true, accepted: 1, quarantined: [] })
      }
    },
  )

  it.each(['batch', 'b', 'import'])('take a batch at /v1/%s (C1, C23)', async (path) => {
    for (const url of [`/v1/${path}`, `/v1/${path}/`]) {
      const answer = await server.send(url, { batch: [track(`batch ${path}`), track(`batch ${path}`)] })
      expect(answer.json()).toEqual({ success: true, accepted: 2, quarantined: [] })
    }
    expect(await stored(`batch ${path}`)).toHaveLength(4)
  })

  it.each([
    'application/json',
    'application/json;charset=UTF-8',
    'text/plain',
    'text/plain;charset=UTF-8',
    'application/x-www-form-urlencoded',
    'application/json\tx',
    ' application/json garbage',
    'multipart/form-data',
    '',
  ])('parse JSON when the content type is “%s” (C2)', async (contentType) => {
    const answer = await server.send('/v1/track', track('any type'), { 'content-type': contentType })
    expect(answer.statusCode).toBe(200)
  })

  it('unpack gzip, deflate with and without its frame, and brotli (C3)', async () => {
    const body = Buffer.from(JSON.stringify(track('packed')))
    for (const [encoding, bytes] of [
      ['gzip', gzipSync(body)],
      ['deflate', deflateSync(body)],
      ['deflate', deflateRawSync(body)],
      ['br', brotliCompressSync(body)],
      ['GZIP', gzipSync(body)],
      ['', gzipSync(body)],
      ['gzip', body],
      ['gzip', Buffer.concat([gzipSync(body.subarray(0, 9)), gzipSync(body.subarray(9))])],
    ] as [string, Buffer][]) {
      const answer = await server.send('/v1/track', bytes, encoding === '' ? {} : { 'content-encoding': encoding })
      expect(answer.statusCode, encoding).toBe(200)
    }
    expect(await stored('packed')).toHaveLength(8)
  })

  it('find the write key wherever it is named (C4, C14)', async () => {
    const key = server.source.writeKey
    const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
    const tries: [string, unknown, Record<string, string>][] = [
      ['/v1/track', track('keyed'), basic(`${key}:`)],
      ['/v1/track', track('keyed'), basic(key)],
      ['/v1/track', track('keyed', { writeKey: key }), { authorization: '' }],
      ['/v1/batch', { batch: [track('keyed')], writeKey: key }, { authorization: '' }],
      ['/v1/batch', { batch: [track('keyed', { writeKey: key })] }, { authorization: '' }],
      [
        `/beacon/v1/batch?writeKey=${key}`,
        { batch: [track('keyed')] },
        { authorization: '', 'content-type': 'text/plain' },
      ],
      ['/v1/batch', { batch: [track('keyed')], writeKey: key }, { authorization: 'Bearer token-of-oauth' }],
      ['/v1/track', track('keyed'), { authorization: `Bearer ${key}` }],
    ]
    for (const [url, body, headers] of tries) {
      expect((await server.send(url, body, headers)).statusCode, JSON.stringify(headers)).toBe(200)
    }
    expect(await stored('keyed')).toHaveLength(tries.length)
  })

  it('answer preflights before any work, with all that a retry will need (C10)', async () => {
    for (const url of [
      '/v1/t',
      '/v1/batch/',
      '/beacon/v1/batch',
      '/sourceConfig/?writeKey=x',
      '/v1/projects/x/settings',
    ]) {
      const answer = await server.app.inject({
        method: 'OPTIONS',
        url,
        headers: { origin: 'https://läden.example', 'access-control-request-headers': 'authorization' },
      })
      expect(answer.statusCode).toBe(204)
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': 'https://läden.example',
        'access-control-allow-credentials': 'true',
        'access-control-max-age': '7200',
        'access-control-expose-headers': 'Retry-After',
      })
      const allowed = String(answer.headers['access-control-allow-headers']).split(', ')
      for (const header of [
        'authorization',
        'content-type',
        'anonymousid',
        'sentat',
        'x-retry-count',
        'rsa-retry-attempt',
        'rsa-recovered',
      ]) {
        expect(allowed).toContain(header)
      }
    }
    const answer = await server.send('/v1/t', track('from a page'), { origin: 'https://läden.example' })
    expect(answer.headers['access-control-allow-origin']).toBe('https://läden.example')
    expect(answer.headers['access-control-expose-headers']).toBe('Retry-After')
  })

  it('keep the good events of a batch and say which were put aside, and why (C8)', async () => {
    const batch = [...Array.from({ length: 98 }, () => track('mixed')), { type: 'track', userId: 'u' }, 17]
    const answer = await server.send('/v1/batch', { batch })
    expect(answer.json()).toEqual({
      success: true,
      accepted: 98,
      quarantined: [
        { index: 98, reason: 'no_event_name', because: 'The track call has no event name.' },
        { index: 99, reason: 'not_an_object', because: 'The event is not an object.' },
      ],
    })
    expect(await stored('mixed')).toHaveLength(98)
    const { reasons, samples } = await server.collect.quarantine({ source: server.source.id })
    expect(Object.fromEntries(reasons.map((one) => [one.reason, one.events]))).toMatchObject({
      no_event_name: 1,
      not_an_object: 1,
    })
    expect(samples.find((sample) => sample.reason === 'not_an_object')?.raw).toBe('17')
  })

  it('answer what cannot be read with a reason, and count it', async () => {
    const before = (await server.collect.ledger()).total.rejected
    const zeros = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    for (const [body, headers, status, code] of [
      ['{"type":"track"', {}, 400, 'malformed_json'],
      ['', {}, 400, 'bad_input'],
      [`{"a":${'['.repeat(100_000)}`, {}, 400, 'too_deep'],
      [zeros, { 'content-encoding': 'gzip' }, 413, 'too_large'],
      [gzipSync(zeros), { 'content-encoding': 'gzip' }, 400, 'malformed_json'],
      [Buffer.alloc(9 * 1024 * 1024, ' '), {}, 413, 'too_large'],
      [gzipSync('{"a":1}').subarray(0, 12), { 'content-encoding': 'gzip' }, 400, 'bad_encoding'],
      ['not brotli', { 'content-encoding': 'br' }, 400, 'bad_encoding'],
      ['x', { 'content-encoding': 'lzma' }, 400, 'bad_encoding'],
    ] as [string | Buffer, Record<string, string>, number, string][]) {
      const answer = await server.send('/v1/track', body, headers)
      expect([answer.statusCode, answer.json()], code).toMatchObject([status, { success: false, code }])
    }
    expect((await server.collect.ledger()).total.rejected).toBe(before + 9)
  })

  it('give a picture for a pixel, always (C23)', async () => {
    const key = server.source.writeKey
    for (const url of [
      `/pixel/v1/page?writeKey=${key}&userId=u&name=pixel&colour=blå`,
      '/pixel/v1/track',
      '/pixel/v1/track?writeKey=no&event=x&userId=u',
    ]) {
      const answer = await server.app.inject({ method: 'GET', url })
      expect([answer.statusCode, answer.headers['content-type'], answer.rawPayload.length]).toEqual([
        200,
        'image/gif',
        43,
      ])
    }
    expect(await stored('pixel')).toMatchObject([{ type: 'page', user_id: 'u', properties: { colour: 'blå' } }])
  })

  it('take an event that Segment would refuse for its size (C22)', async () => {
    const answer = await server.send('/v1/track', track('40 KB', { properties: { p: 'i'.repeat(40_000) } }))
    expect(answer.json()).toMatchObject({ accepted: 1, quarantined: [] })
    expect(await stored('40 KB')).toHaveLength(1)
  })

  it('cut the address of a person to its network, and only for events from devices (C20)', async () => {
    await server.app.inject({
      method: 'POST',
      url: '/v1/track',
      remoteAddress: '203.0.113.77',
      payload: { ...track('from a network'), writeKey: server.source.writeKey },
    })
    expect(await stored('from a network')).toMatchObject([{ context: { ip: '203.0.113.0' } }])
  })
})

describe('an unknown write key', () => {
  it('is 401, and what it brought can be recovered into a source (C5)', async () => {
    const headers = { authorization: `Basic ${Buffer.from('il_src_mistyped:').toString('base64')}` }
    for (let number = 0; number < 3; number++) {
      const answer = await server.send(
        '/v1/batch',
        { batch: [track('mistyped', { messageId: `mistyped ${number}` })] },
        headers,
      )
      expect([answer.statusCode, answer.json()]).toMatchObject([401, { success: false, code: 'unknown_write_key' }])
    }
    expect(await stored('mistyped')).toHaveLength(0)
    const parked = async () => (await server.collect.parked()).filter(({ writeKey }) => writeKey === 'il_src_mistyped')
    expect(await parked()).toMatchObject([{ writeKey: 'il_src_mistyped', requests: 3 }])
    const caller = {
      kind: 'person' as const,
      accountId: 'account_1' as never,
      name: 'Åsa',
      side: 'it' as const,
      roles: [],
      permissions: new Set<string>(),
      sessionId: undefined,
      steppedUpAtMs: undefined,
    }
    expect(await server.collect.recover(caller, 'il_src_mistyped', server.source.id)).toEqual({
      requests: 3,
      events: 3,
    })
    expect(await stored('mistyped')).toHaveLength(3)
    expect(await parked()).toEqual([])
  })

  it('is told when nothing was kept: too large, or its network has filled its share of the shelf', async () => {
    const send = (key: string, payload: string, remoteAddress: string) =>
      server.app.inject({
        method: 'POST',
        url: '/v1/track',
        remoteAddress,
        headers: { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` },
        payload,
      })
    const large = await send('il_src_large', JSON.stringify(track('x', { p: 'x'.repeat(1_100_000) })), '192.0.2.1')
    expect([large.statusCode, large.json<{ detail: string }>().detail]).toEqual([
      401,
      'No source has this write key. What you sent was not kept: only bodies of up to 1 MiB are parked.',
    ])
    const junk = JSON.stringify(track('junk', { p: 'x'.repeat(900_000) }))
    const answers: string[] = []
    for (let number = 0; number < 25; number++) {
      const answer = await send(`junk ${number}`, junk, `198.51.100.${number}`)
      answers.push(answer.json<{ detail: string }>().detail)
    }
    expect(answers.filter((detail) => detail.includes('is parked for 24 hours'))).toHaveLength(18)
    expect(answers.at(-1)).toContain('was not kept: too much is parked already')
    const other = await send('il_src_honest', JSON.stringify(track('honest')), '203.0.113.9')
    expect(other.json<{ detail: string }>().detail).toContain('is parked for 24 hours')
  })

  it('gets no parsing: a body that is not JSON is parked like any other, and recovering goes round it', async () => {
    const headers = { authorization: `Basic ${Buffer.from('il_src_broken:').toString('base64')}` }
    for (const body of ['{"type":"track"', JSON.stringify(track('whole', { messageId: 'whole' }))]) {
      expect((await server.send('/v1/track', body, headers)).json()).toMatchObject({ code: 'unknown_write_key' })
    }
    const caller = { kind: 'person', accountId: 'account_1' } as never
    expect(await server.collect.recover(caller, 'il_src_broken', server.source.id)).toEqual({ requests: 2, events: 1 })
  })

  it('does not open the internal source', async () => {
    const { writeKey } = server.sources.internal()
    expect((await server.send('/v1/track', track('x', { writeKey }), { authorization: '' })).statusCode).toBe(401)
  })

  it('of a source that is switched off is refused and counted', async () => {
    const caller = { kind: 'person', accountId: 'account_1' } as never
    await server.sources.change(caller, server.source.id, { enabled: false })
    expect((await server.send('/v1/track', track('off'))).statusCode).toBe(403)
    await server.sources.change(caller, server.source.id, { enabled: true })
    expect((await server.send('/v1/track', track('on'))).statusCode).toBe(200)
    const { hours } = await server.collect.ledger()
    expect(hours.find((one) => one.reason === 'source_off')).toMatchObject({ sourceId: server.source.id, events: 1 })
  })
})

describe('a source that sends too fast', () => {
  it('is told to wait, in whole seconds, before its body is looked at; others go on (C6)', async () => {
    const own = await aCollectServer()
    const caller = { kind: 'person', accountId: 'account_1' } as never
    await own.sources.change(caller, own.source.id, { eventsPerSecond: 10 })
    const batch = Array.from({ length: 150 }, () => track('fast'))
    expect((await own.send('/v1/batch', { batch })).json()).toMatchObject({ accepted: 150 })
    const refused = await own.send('/v1/batch', '{"not JSON')
    expect([refused.statusCode, refused.json()]).toMatchObject([429, { success: false, code: 'too_fast' }])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    expect(Number.isInteger(Number(refused.headers['retry-after']))).toBe(true)
    await own.sources.change(caller, own.source.id, { eventsPerSecond: null })
    expect((await own.send('/v1/batch', { batch })).statusCode).toBe(200)
    const { hours } = await own.collect.ledger()
    expect(hours.find((one) => one.reason === 'too_fast')).toMatchObject({ sourceId: own.source.id })
    await own.close()
  })
})

describe('a batch of eight megabytes', () => {
  it('leaves others their turn while it is read', async () => {
    const event = (at: number) =>
      `{"type":"track","event":"wide","userId":"u","p":{${Array.from({ length: 75 }, (_, key) => `"${(at * 75 + key).toString(36)}x":1`).join(',')}}}`
    const body = `{"batch":[${Array.from({ length: 5000 }, (_, at) => event(at)).join(',')}]}`
    let turns = 0
    let going = true
    const others = (async () => {
      while (going) {
        await new Promise((resolve) => setImmediate(resolve))
        turns++
      }
    })()
    const before = turns
    expect((await server.send('/v1/batch', body)).statusCode).toBe(200)
    going = false
    await others
    // Read in one go there are only the turns of the request's own steps.
    expect(turns - before).toBeGreaterThan(20)
  })
})
