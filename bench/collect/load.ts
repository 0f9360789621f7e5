import { connect, type Socket } from 'node:net'

/**
 * A load generator on raw sockets with keep-alive, in a process of its own so that it does not share the server's thread.
 * Each connection sends its next request when the last was answered. Every event has a message id of its own.
 * `node bench/collect/load.ts '{"port","writeKey","connections","eventsPerRequest","seconds","run"}'`; prints one JSON object.
 */
const sent = JSON.parse(process.argv[2] ?? '{}') as {
  port: number
  writeKey: string
  connections: number
  eventsPerRequest: number
  seconds: number
  run: string
}

/** 567 bytes each, as in spec/engines.md 3. */
function eventText(): string {
  const event = {
    type: 'track',
    event: 'Product Added',
    messageId: `${sent.run}-000000000000`,
    userId: 'user-0000123456',
    anonymousId: '9b2c2b0e-5a3f-4f0e-9a53-0d7a4f8f7c11',
    timestamp: new Date().toISOString(),
    properties: {
      product_id: 'sku-120034',
      name: 'Garden lantern “Åland”',
      price: 49.9,
      currency: 'EUR',
      quantity: 1,
      category: 'Garden',
      path: '/garden/lanterns',
    },
    context: {
      library: { name: 'bench', version: '1.0.0' },
      locale: 'da-DK',
      page: { path: '/garden/lanterns', referrer: '' },
      userAgent: '',
    },
  }
  const short = 567 - Buffer.byteLength(JSON.stringify(event))
  event.context.userAgent = 'x'.repeat(Math.max(0, short))
  return JSON.stringify(event)
}

const one = eventText()
const body =
  sent.eventsPerRequest === 1
    ? one
    : `{"batch":[${Array(sent.eventsPerRequest).fill(one).join(',')}],"sentAt":"${new Date().toISOString()}"}`
const head = [
  `POST /v1/${sent.eventsPerRequest === 1 ? 'track' : 'batch'} HTTP/1.1`,
  'host: 127.0.0.1',
  `authorization: Basic ${Buffer.from(`${sent.writeKey}:`).toString('base64')}`,
  'content-type: application/json',
  `content-length: ${Buffer.byteLength(body)}`,
  '\r\n',
].join('\r\n')

const latencies: number[] = []
const statuses: Record<string, number> = {}
let numbered = 0
let stopping = false

function client(): Promise<void> {
  const request = Buffer.from(head + body)
  const places: number[] = []
  const marker = Buffer.from(`${sent.run}-`)
  for (let at = request.indexOf(marker); at !== -1; at = request.indexOf(marker, at + 1))
    places.push(at + marker.length)
  let began = 0
  const send = (socket: Socket) => {
    for (const place of places) request.write(String(numbered++).padStart(12, '0'), place, 'latin1')
    began = performance.now()
    // The socket may keep the buffer until it is written, and it is changed for the next request only after the answer.
    socket.write(request)
  }
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: sent.port, noDelay: true })
    let answer = ''
    socket.on('connect', () => {
      send(socket)
    })
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      const end = answer.indexOf('\r\n\r\n')
      if (end === -1) return
      const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0)
      if (answer.length < end + 4 + length) return
      latencies.push(performance.now() - began)
      const status = answer.slice(9, 12)
      statuses[status] = (statuses[status] ?? 0) + 1
      answer = ''
      if (stopping) {
        socket.end()
        resolve()
      } else send(socket)
    })
    socket.on('error', reject)
  })
}

const began = performance.now()
const timer = setTimeout(() => {
  stopping = true
}, sent.seconds * 1000)
await Promise.all(Array.from({ length: sent.connections }, client))
clearTimeout(timer)
const seconds = (performance.now() - began) / 1000
latencies.sort((a, b) => a - b)
const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
process.stdout.write(
  JSON.stringify({
    requests: latencies.length,
    events: latencies.length * sent.eventsPerRequest,
    seconds,
    p50: at(0.5),
    p99: at(0.99),
    statuses,
  }),
)
