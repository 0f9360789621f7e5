import { connect, type Socket } from 'node:net'

/**
 * Offers single events at a fixed rate, whatever the server answers, as a crowd of visitors does: each is asked once and goes away when it is told to
 * come later. In a process of its own. `node bench/burst/load.ts '{"port","writeKey","perSecond","seconds"}'`; prints one JSON object.
 */
const order = JSON.parse(process.argv[2] ?? '{}') as {
  port: number
  writeKey: string
  perSecond: number
  seconds: number
}

const tickMs = 5
/** More than this under way, and the crowd itself is what waits; it is told as not offered. */
const connections = 400
const authorization = Buffer.from(`${order.writeKey}:`).toString('base64')
const body = (id: string) =>
  JSON.stringify({
    type: 'track',
    event: 'Product Viewed',
    messageId: id,
    anonymousId: `visitor-${id}`,
    timestamp: new Date().toISOString(),
    properties: { path: '/offers/garden', campaign: 'spring', product_id: 'sku-120034', price: 49.9, currency: 'EUR' },
    context: { library: { name: 'burst', version: '1.0.0' }, locale: 'da-DK', page: { path: '/offers/garden' } },
  })

const statuses: Record<string, number> = {}
const count = (status: string) => {
  statuses[status] = (statuses[status] ?? 0) + 1
}
let offered = 0
let withoutRetryAfter = 0
const idle: Socket[] = []
const all: Socket[] = []
let open = 0

function visitor(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: order.port, noDelay: true })
    let answer = ''
    socket.once('connect', () => {
      open++
      idle.push(socket)
      resolve()
    })
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      const end = answer.indexOf('\r\n\r\n')
      if (end === -1) return
      const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0)
      if (answer.length < end + 4 + length) return
      const status = answer.slice(9, 12)
      count(status)
      if (status !== '200' && !/^retry-after: \d+\r$/im.test(answer.slice(0, end + 2))) withoutRetryAfter++
      answer = ''
      idle.push(socket)
    })
    socket.once('close', () => {
      open--
    })
    socket.on('error', reject)
    all.push(socket)
  })
}
await Promise.all(Array.from({ length: connections }, visitor))

const began = performance.now()
let due = 0
await new Promise<void>((resolve) => {
  const timer = setInterval(() => {
    const elapsed = (performance.now() - began) / 1000
    if (elapsed >= order.seconds) {
      clearInterval(timer)
      resolve()
      return
    }
    for (due = Math.floor(elapsed * order.perSecond); offered < due;) {
      const socket = idle.pop()
      if (socket === undefined) break
      const text = body(`burst-${offered++}`)
      socket.write(
        `POST /v1/track HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Basic ${authorization}\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
      )
    }
  }, tickMs)
})
const seconds = (performance.now() - began) / 1000
const deadline = performance.now() + 30_000
while (idle.length < open && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
for (const socket of all) socket.destroy()
process.stdout.write(JSON.stringify({ offered, wanted: due, seconds, statuses, withoutRetryAfter }))
