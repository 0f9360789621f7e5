import { Ajv } from 'ajv'
import { open } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answers } from '../parts/child.ts'

/**
 * The bare probe: the least that a collector on this stack can do and still be honest. node:http, JSON.parse, one compiled schema, an append to one file,
 * and `fdatasync` before the answer. No write key, no rate, no dedup, no tracking plan, no checksum, no hand-over. What a machine gives to this is what it
 * has to give; a figure of ours on a busy machine is read beside it.
 * `node bench/peers/bare.ts FILE`; tells its parent `{ port, writeKey }` and answers `figures` and `stop`.
 */
const file = await open(process.argv[2] ?? '', 'a')
const event = {
  type: 'object',
  required: ['type', 'messageId'],
  properties: {
    type: { enum: ['track', 'identify', 'page', 'screen', 'group', 'alias'] },
    event: { type: 'string' },
    messageId: { type: 'string', minLength: 1, maxLength: 100 },
    userId: { type: 'string' },
    anonymousId: { type: 'string' },
    timestamp: { type: 'string' },
    properties: { type: 'object' },
    context: { type: 'object' },
  },
}
const ajv = new Ajv()
const isEvent = ajv.compile(event)
const isBatch = ajv.compile({
  type: 'object',
  required: ['batch'],
  properties: { batch: { type: 'array', minItems: 1, items: event } },
})

let waiting: { body: Buffer; reply: ServerResponse }[] = []
let flushing = false
let flushes = 0

/** Group commit: what came while one flush ran goes with the next, so a request waits for two flushes at most and no timer is needed. */
async function flush(): Promise<void> {
  flushing = true
  while (waiting.length > 0) {
    const group = waiting
    waiting = []
    await file.appendFile(Buffer.concat(group.flatMap(({ body }) => [body, newline])))
    await file.datasync()
    flushes++
    for (const { reply } of group) answer(reply, 200)
  }
  flushing = false
}
const newline = Buffer.from('\n')

function answer(reply: ServerResponse, status: number): void {
  const body = status === 200 ? '{"success":true}' : '{"success":false}'
  reply.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length }).end(body)
}

function isValid(path: string | undefined, body: Buffer): boolean {
  try {
    const parsed: unknown = JSON.parse(body.toString())
    return path === '/v1/batch' ? isBatch(parsed) : isEvent(parsed)
  } catch {
    return false
  }
}

const server = createServer((request, reply) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
    if (!isValid(request.url, body)) {
      answer(reply, 400)
      return
    }
    waiting.push({ body, reply })
    if (!flushing) void flush()
  })
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

answers(
  { port: (server.address() as AddressInfo).port, writeKey: 'none' },
  {
    figures: () => Promise.resolve({ flushes }),
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await file.close()
      return {}
    },
  },
)
