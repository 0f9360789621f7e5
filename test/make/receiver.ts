import { createServer, type IncomingHttpHeaders } from 'node:http'
import { afterAll } from 'vitest'

export interface Arrived {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: string
  bytes: Buffer
}

/** What a receiver does with one request. `hang`: it never answers; `cut`: the connection breaks after the request was read. */
export type Answer =
  { status: number; headers?: Record<string, string>; body?: string | Buffer; afterMs?: number } | 'hang' | 'cut'

export interface Receiver {
  url: string
  /** As the allow-list of the way out names it. */
  place: string
  /** Everything that arrived, also what was answered with an error. */
  arrived: Arrived[]
  /** Requests that were answered with 2xx. */
  taken: Arrived[]
  answer: (arrived: Arrived, turn: number) => Answer
}

/** A real HTTP server on a free port that does what it is told; by default it takes everything. */
export async function aReceiver(answer: Receiver['answer'] = () => ({ status: 200 })): Promise<Receiver> {
  const receiver: Receiver = { url: '', place: '', arrived: [], taken: [], answer }
  const server = createServer((request, reply) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const bytes = Buffer.concat(parts)
      const arrived: Arrived = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: bytes.toString('utf8'),
        bytes,
      }
      receiver.arrived.push(arrived)
      const told = receiver.answer(arrived, receiver.arrived.length)
      if (told === 'hang') return
      if (told === 'cut') {
        request.socket.destroy()
        return
      }
      setTimeout(() => {
        if (told.status >= 200 && told.status < 300) receiver.taken.push(arrived)
        reply.writeHead(told.status, told.headers).end(told.body)
      }, told.afterMs ?? 0)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  receiver.place = `127.0.0.1:${String(port)}`
  receiver.url = `http://${receiver.place}/hooks`
  return receiver
}
