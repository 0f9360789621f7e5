import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { sayOnSocket } from '../../test/make/http.ts'
import { route } from '../../lib/routes/routes.ts'
import { silentLog } from '../log/log.ts'
import type { Caller } from './caller.ts'
import { goesBy } from './hosts.ts'
import { handle } from './http.ts'
import { createHttp, type HttpServer } from './server.ts'

const stillMs = 400
const text = z.object({ text: z.string() })
const echo = route({
  method: 'POST',
  path: '/api/echo',
  summary: 'Says it again.',
  allow: 'anyone',
  body: text,
  reply: text,
})
const find = route({
  method: 'GET',
  path: '/api/find/:text',
  summary: 'Says what was looked for.',
  allow: 'anyone',
  params: text,
  query: z.object({ more: z.string().optional() }),
  reply: text,
})
const upload = route({
  method: 'POST',
  path: '/api/upload',
  summary: 'Counts bytes.',
  allow: 'anyone',
  upload: true,
  reply: z.object({ bytes: z.number() }),
})

describe('the web server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'il-pagés-'))
  let http: HttpServer
  let port: number
  beforeAll(async () => {
    writeFileSync(join(folder, 'index.html'), '<title>Interlock</title>')
    http = await createHttp({
      config: { trustProxy: [], publicUrl: 'https://interlock.fjörd.example', allowedHosts: ['prometheus-sees'] },
      log: silentLog,
      metrics: new Registry(),
      health: [],
      version: '0',
      pages: folder,
      // Of a caller, only the permissions are looked at.
      authorise: (request) =>
        Promise.resolve(
          request.headers.authorization === 'Bearer auditor'
            ? ({ permissions: new Set(['audit.read']) } as unknown as Caller)
            : undefined,
        ),
      patience: { stillMs, uploadMs: 60_000 },
    })
    handle(http, echo, ({ body }) => body)
    handle(http, find, ({ params }) => params)
    handle(http, upload, async ({ request }) => {
      let bytes = 0
      for await (const chunk of request.body as AsyncIterable<Uint8Array>) bytes += chunk.length
      return { bytes }
    })
    port = Number(new URL(await http.listen('127.0.0.1', 0)).port)
  })
  afterAll(async () => {
    await http.close()
    rmSync(folder, { recursive: true })
  })

  it.each([
    ['a NUL in a body', 'POST', '/api/echo', '{"text":"a\\u0000b"}'],
    ['half a surrogate pair in a body', 'POST', '/api/echo', '{"text":"a\\ud800b"}'],
    ['a NUL in a query', 'GET', '/api/find/x?more=%00', undefined],
    ['a NUL in a path', 'GET', '/api/find/a%00b', undefined],
  ] as const)('refuses %s before anything is asked of a database', async (_what, method, url, payload) => {
    const answer = await http.app.inject({
      method,
      url,
      ...(payload === undefined ? {} : { payload, headers: { 'content-type': 'application/json' } }),
    })
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([400, 'bad_input'])
  })

  it('keeps every character that is one', async () => {
    const said = { text: 'Zoë 🧶 \u0001 \t' }
    expect((await http.app.inject({ method: 'POST', url: '/api/echo', payload: said })).json()).toEqual(said)
  })

  it.each([
    ['evil.example', 403],
    ['evil.example:4400', 403],
    ['localhost.evil.example', 403],
    ['localhost:4400', 200],
    ['127.0.0.1:4400', 200],
    ['[::1]:4400', 200],
    ['INTERLOCK.xn--fjrd-6qa.example', 200],
    ['prometheus-sees:4400', 200],
  ])('asked as “%s”, answers the API and metrics with %i', async (host, status) => {
    expect((await http.app.inject({ url: '/api/find/x', headers: { host } })).statusCode).toBe(status)
    expect((await http.app.inject({ url: '/metrics', headers: { host } })).statusCode).toBe(status)
  })

  it('answers health and what is not of the API under every name', async () => {
    expect((await http.app.inject({ url: '/health/live', headers: { host: 'evil.example' } })).statusCode).toBe(200)
    expect((await http.app.inject({ url: '/v1/nothing', headers: { host: 'evil.example' } })).statusCode).toBe(404)
  })

  it.each([
    ['/', '*/*', 200],
    ['/?utm_source=x', undefined, 200],
    ['/people', 'text/html,*/*;q=0.8', 200],
    ['/people', '*/*', 404],
    ['/v1/trak', '*/*', 404],
    ['/api/nothing', 'text/html', 404],
  ])(
    'asked for %s by a program that takes %s, answers %i: the page at its address, elsewhere to browsers',
    async (url, accept, status) => {
      const answer = await http.app.inject({ url, headers: accept === undefined ? {} : { accept } })
      expect([answer.statusCode, answer.body.includes('<title>')]).toEqual([status, status === 200])
    },
  )

  it.each(['X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'Forwarded', 'X-Real-IP', 'Via'])(
    'gives no metrics to a proxy on this machine that sends %s, but to whoever may read the audit log',
    async (name) => {
      const headers = { [name]: 'x' }
      expect((await http.app.inject({ url: '/metrics', headers })).statusCode).toBe(403)
      expect(
        (await http.app.inject({ url: '/metrics', headers: { ...headers, authorization: 'Bearer auditor' } }))
          .statusCode,
      ).toBe(200)
    },
  )

  /** Sends a body of so many bytes, one at a time with a pause between. */
  const drip = (path: string, type: string, bytes: number, pauseMs: number) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      let heard = ''
      let sent = 0
      socket.on('data', (chunk) => {
        heard += chunk.toString('latin1')
        if (heard.includes('"bytes"')) socket.end()
      })
      socket.on('error', reject)
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${String(bytes)}\r\n\r\n`,
      )
      const timer = setInterval(() => {
        if (sent < bytes && socket.writable) socket.write('x')
        sent += 1
      }, pauseMs)
      socket.on('close', () => {
        clearInterval(timer)
        resolve(heard)
      })
    })

  it('waits for an upload as long as it comes, and no longer', async () => {
    expect(await drip('/api/upload', 'application/octet-stream', 12, stillMs / 4)).toContain('{"bytes":12}')
    expect(await drip('/api/upload', 'application/octet-stream', 4, 60_000)).toContain('408')
  })

  it('ends every other request that takes too long to come, even when it drips', async () => {
    expect(await drip('/api/echo', 'application/json', 1_000, stillMs / 4)).toContain('408')
  })

  it('answers a whole request that came in time', async () => {
    const body = '{"text":"so"}'
    expect(
      await sayOnSocket(
        port,
        `POST /api/echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`,
      ),
    ).toContain(body)
  })
})

describe('the name of a server', () => {
  it('is not taken from a longer one, or from nothing', () => {
    expect(goesBy(undefined, [])).toBe(false)
    expect(goesBy('interlock.example.evil', ['interlock.example'])).toBe(false)
    expect(goesBy('127.0.0.1.evil.example', [])).toBe(false)
    expect(goesBy('interlock.example.', ['interlock.example:443'])).toBe(true)
  })
})
