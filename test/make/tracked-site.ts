import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An event as it came over the wire, and how. */
export interface Sent {
  messageId: string
  type: string
  event?: string
  userId?: string
  anonymousId: string
  properties: Record<string, unknown>
  context: Record<string, unknown> & { session: { id: string; count: number; start: string } }
}

/** A site with a strict policy of its own, and a door before the collecting server that writes down what passes and can be shut. */
export interface TrackedSite {
  /** Where the site is; any path is a page. */
  site: string
  /** Where the tracker and the tracking endpoints are, of another origin. */
  door: string
  /** Every request to the door but for the script itself, those that were refused too. */
  asked: {
    method: string
    path: string
    beacon: boolean
    status: number
    events: Sent[]
    context: Record<string, unknown>
  }[]
  /** All events of requests that were answered by the server, in order. */
  sent(): Sent[]
  close(): void
  /** The next answers, before the server is asked again. */
  refuse: { status: number; headers?: Record<string, string> }[]
}

/**
 * @param server where events go
 * @param page the HTML of the body of every page; `DOOR` and `KEY` are put in
 */
export async function aTrackedSite(server: string, writeKey: string, page: () => string): Promise<TrackedSite> {
  const asked: TrackedSite['asked'] = []
  const refuse: TrackedSite['refuse'] = []
  const [door, closeDoor] = await listening(async (request) => {
    const body = await bodyOf(request)
    const path = request.url ?? ''
    if (request.method !== 'POST') return forward(server, request, body)
    const { batch, context } = JSON.parse(body.toString()) as { batch: Sent[]; context: Record<string, unknown> }
    const fault = refuse.shift()
    const answer =
      fault === undefined
        ? await forward(server, request, body)
        : {
            status: fault.status,
            headers: {
              'access-control-allow-origin': '*',
              'access-control-expose-headers': 'Retry-After',
              ...fault.headers,
            },
            body: Buffer.from('no'),
          }
    const beacon = request.headers['sec-fetch-mode'] === 'no-cors'
    asked.push({ method: 'POST', path, beacon, status: answer.status, events: batch, context })
    return answer
  })
  const [site, closeSite] = await listening((request) =>
    Promise.resolve({
      status: 200,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': `default-src 'none'; script-src ${door}; connect-src ${door}; form-action 'self'; img-src * data:`,
      },
      body: Buffer.from(
        `<!doctype html><html lang="sv"><title>Sida ${(request.url ?? '').split('?')[0] ?? ''}</title><link rel="icon" href="data:,">${page()
          .replaceAll('DOOR', door)
          .replaceAll('KEY', writeKey)}</html>`,
      ),
    }),
  )
  return {
    site,
    door,
    asked,
    refuse,
    close() {
      closeDoor()
      closeSite()
    },
    sent: () => asked.filter((one) => one.status === 200).flatMap((one) => one.events),
  }
}

interface Answer {
  status: number
  headers: Record<string, string>
  body: Buffer
}

async function forward(server: string, request: IncomingMessage, body: Buffer): Promise<Answer> {
  const reply = await fetch(server + (request.url ?? ''), {
    method: request.method ?? 'GET',
    headers: {
      'content-type': request.headers['content-type'] ?? '',
      origin: request.headers.origin ?? 'null',
      ...(request.headers.authorization === undefined ? {} : { authorization: request.headers.authorization }),
    },
    ...(request.method === 'POST' ? { body: new Uint8Array(body) } : {}),
  })
  const headers = Object.fromEntries(
    [...reply.headers].filter(([name]) => !/^(content-(encoding|length)|transfer-encoding|connection)$/.test(name)),
  )
  return { status: reply.status, headers, body: Buffer.from(await reply.arrayBuffer()) }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

async function listening(
  answer: (request: IncomingMessage) => Promise<Answer>,
): Promise<[url: string, close: () => void]> {
  const server: Server = createServer((request, reply) => {
    answer(request).then(
      ({ status, headers, body }) => reply.writeHead(status, headers).end(body),
      (error: unknown) => reply.writeHead(502).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return [`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, close]
}
