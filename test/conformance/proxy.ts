import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

/** What a client meets on its way: an answer that is not ours, or the end of its connection. */
export type Trouble = { status: number; retryAfter?: number } | 'reset'

/** One request with events, as it went. */
export interface Exchange {
  path: string
  messageIds: string[]
  /** `reset`: no answer at all. */
  answer: number | 'reset'
  /** By the script, so that the product never saw it. */
  scripted: boolean
  atMs: number
}

export interface Proxy {
  url: string
  exchanges: Exchange[]
  /** The product's own answers to requests of any kind, without preflights. */
  ownAnswers: Set<number>
  /** Messages that a client has a 2xx for. */
  acknowledged(): Set<string>
  close(): Promise<void>
}

/**
 * A proxy between a client and the product: each message meets the trouble its first `times` times, and then passes. It
 * hands on the name under which it was asked, so that what the product says of its own address leads back here.
 */
export async function aProxy(
  product: { port: number },
  script: { trouble: Trouble; times: number } | undefined,
): Promise<Proxy> {
  const exchanges: Exchange[] = []
  const ownAnswers = new Set<number>()
  const met = new Map<string, number>()
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy())
  })
  // A browser keeps its connections; only the end of the proxy ends them.
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const path = request.url ?? ''
    // Where a redirect leads: a page that is there, as on a real host, and takes no events.
    if (path === '/elsewhere') {
      refuse({ status: 200 }, request, response)
      return
    }
    const bringsEvents = request.method === 'POST' && !/\/v1\/m\b/.test(path)
    const messageIds = bringsEvents ? idsIn(body) : []
    const note = (how: Exchange['answer'], scripted: boolean) => {
      if (bringsEvents) exchanges.push({ path, messageIds, answer: how, scripted, atMs: performance.now() })
    }
    if (script !== undefined && messageIds.some((id) => (met.get(id) ?? 0) < script.times)) {
      for (const id of messageIds) met.set(id, (met.get(id) ?? 0) + 1)
      const { trouble } = script
      note(trouble === 'reset' ? 'reset' : trouble.status, true)
      if (trouble === 'reset') request.socket.resetAndDestroy()
      else refuse(trouble, request, response)
      return
    }
    await new Promise<void>((resolve) => {
      const onward = ask(
        {
          host: '127.0.0.1',
          port: product.port,
          path,
          method: request.method,
          headers: request.headers,
          agent: false,
        },
        (reply) => {
          const status = reply.statusCode ?? 0
          if (request.method !== 'OPTIONS') ownAnswers.add(status)
          note(status, false)
          response.writeHead(status, reply.headers)
          reply.pipe(response)
          reply.once('close', resolve)
        },
      )
      onward.once('error', () => {
        note('reset', false)
        request.socket.resetAndDestroy()
        resolve()
      })
      onward.end(body)
    })
  }

  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    exchanges,
    ownAnswers,
    acknowledged: () =>
      new Set(
        exchanges.flatMap((one) =>
          typeof one.answer === 'number' && one.answer >= 200 && one.answer < 300 ? one.messageIds : [],
        ),
      ),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** With the CORS headers of the product: the status alone is what is tried. */
function refuse(
  { status, retryAfter }: { status: number; retryAfter?: number },
  request: IncomingMessage,
  response: ServerResponse,
): void {
  response.writeHead(status, {
    'access-control-allow-origin': request.headers.origin ?? '*',
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'Retry-After',
    'content-type': 'application/json',
    ...(status >= 300 && status < 400 ? { location: '/elsewhere' } : {}),
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
  })
  response.end(status === 200 ? '{"success":true}' : '{"success":false}')
}

function idsIn(body: Buffer): string[] {
  const text = (body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body).toString('utf8')
  return [...text.matchAll(/"messageId":"([^"]+)"/g)].map((found) => found[1] ?? '')
}
