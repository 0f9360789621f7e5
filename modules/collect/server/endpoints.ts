import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Source, Sources } from '../../sources/server/index.ts'
import { isReject, type EventType, type RejectReason } from '../contract.ts'
import type { BrowserLibrary } from './browser-library.ts'
import { addAnswersForBrowsers } from './for-browsers.ts'
import { lookAt, readBody, type Arrived, type Prepared, type Read } from './intake.ts'
import { headerOf, keysNamed, queryOf } from './keys.ts'
import { createPace } from './pace.ts'
import type { Parking } from './parked.ts'
import { batches, singles } from './paths.ts'
import { limits } from './scan.ts'
import { unpack } from './unpack.ts'

/** What the endpoints ask of collect. */
export interface Takes {
  /** On disk when it resolves. @throws Refusal('busy') */
  take(source: Source, read: Read, arrived: Arrived): Promise<Prepared>
  /** Keeps for 24 hours what came with a key that nobody has, when there is room. @throws Refusal('busy') when the database is away */
  park(arrived: Arrived, key: string, agent: string): Promise<Parking>
  reject(source: Source | undefined, reason: RejectReason): void
}

/**
 * The tracking endpoints: a plugin of its own, so that its body parser, its CORS answers and its errors stay its own. It sees
 * no cookie and no session. Every answer follows from what the four SDKs do with it (spec/collect-and-identity.md 3.2):
 * 4xx other than 429 makes them drop their events for ever, so trouble on our side is always 503 with a whole number of
 * seconds in Retry-After.
 */
export function trackingEndpoints(needs: {
  collect: Takes
  sources: Pick<Sources, 'byWriteKey' | 'lookUpWriteKey'>
  now: () => number
  log: Log
  library: BrowserLibrary
  /** Under which address SDKs reach us; by default the one they asked. */
  publicUrl?: string | undefined
}) {
  const { collect, sources, now, log } = needs
  const pace = createPace()

  return async function endpoints(scope: FastifyInstance): Promise<void> {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, tryAgain: true }
    })
    scope.addHook('onRequest', async (request, reply) => {
      allowOrigins(request, reply)
      if (request.method === 'OPTIONS') return reply.code(204).send()
      // Whatever it says, it is parsed as JSON; a made-up type must not meet Fastify's own opinion of it.
      if (request.headers['content-type'] !== undefined) request.headers['content-type'] = 'application/octet-stream'
      return undefined
    })
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request: FastifyRequest, payload: Readable) => collectBytes(payload))
    scope.setErrorHandler((error: unknown, request, reply) => {
      const refusal = refusalOf(error)
      if (refusal.code === 'busy' && !(error instanceof Refusal)) log.error('A tracking request failed.', error)
      // What has a source is counted where it was refused.
      if (isReject(refusal.code) && refusal.code !== 'too_fast') collect.reject(undefined, refusal.code)
      const seconds = Number(refusal.extra['retryAfterSeconds'] ?? 2)
      if (refusal.status === 503 || refusal.status === 429)
        reply.header('retry-after', String(Math.max(1, Math.ceil(seconds))))
      if (request.url.startsWith('/pixel/')) return reply.code(200).type('image/gif').send(pixel)
      return reply
        .code(refusal.status)
        .type('application/problem+json; charset=utf-8')
        .send({ success: false, ...refusal.problem() })
    })

    const post = (path: string, type: EventType | undefined) => {
      for (const url of [path, `${path}/`]) {
        scope.route({
          method: ['POST', 'OPTIONS'],
          url,
          handler: async (request, reply) => {
            const named = keysNamed(request)
            // Who is known by a header is turned away before any work on the body.
            const source = known(named)
            if (source !== undefined) admit(source)
            const body = await unpack(bodyOf(request), headerOf(request, 'content-encoding'))
            return reply.send(await receive(request, { body, type, via: path, keys: named }, source))
          },
        })
      }
    }
    for (const [name, type] of Object.entries(singles)) post(`/v1/${name}`, type)
    for (const path of batches) post(path, undefined)

    // Usage metrics of Segment's browser SDK: accepted, so that they go nowhere else, and dropped.
    for (const url of ['/v1/m', '/v1/m/']) {
      scope.route({ method: ['POST', 'OPTIONS'], url, handler: (_request, reply) => reply.send({ success: true }) })
    }

    for (const type of ['track', 'page'] as const) {
      scope.route({
        method: ['GET', 'OPTIONS'],
        url: `/pixel/v1/${type}`,
        handler: async (request, reply) => {
          const body = Buffer.from(JSON.stringify(eventOfQuery(queryOf(request), type)))
          await receive(request, { body, type, via: `/pixel/v1/${type}`, keys: keysNamed(request) }, undefined)
          return reply.header('cache-control', 'no-store').type('image/gif').send(pixel)
        },
      })
    }

    addAnswersForBrowsers(scope, needs)
  }

  function known(keys: readonly string[]): Source | undefined {
    for (const key of keys) {
      const source = sources.byWriteKey(key)
      if (source !== undefined) return source
    }
    return undefined
  }

  /** @throws Refusal('not_allowed') | Refusal('too_fast') */
  function admit(source: Source): void {
    if (!source.enabled) {
      collect.reject(source, 'source_off')
      throw new Refusal('not_allowed', `The source “${source.name}” is switched off.`)
    }
    const retryAfterSeconds = pace.waitSeconds(source, now())
    if (retryAfterSeconds === 0) return
    collect.reject(source, 'too_fast')
    throw new Refusal('too_fast', undefined, { retryAfterSeconds })
  }

  /** @param source when a header or the query named it already */
  async function receive(
    request: FastifyRequest,
    brought: Pick<Arrived, 'body' | 'type' | 'via' | 'keys'>,
    source: Source | undefined,
  ) {
    const arrived: Arrived = { ...brought, ip: request.ip, receivedMs: now() }
    const looked = lookAt(arrived)
    const owner = source ?? (await sourceOf(looked.keys, arrived, headerOf(request, 'user-agent') ?? ''))
    if (source === undefined) admit(owner)
    pace.spend(owner, looked.events, now())
    const read = await readBody(arrived, looked)
    const { records, quarantined } = await collect.take(owner, read, arrived)
    return { success: true, accepted: records.length - quarantined.length, quarantined }
  }

  async function sourceOf(keys: readonly string[], arrived: Arrived, agent: string): Promise<Source> {
    const found = known(keys)
    if (found !== undefined) return found
    for (const key of keys) {
      const source = await sources.lookUpWriteKey(key)
      if (source !== undefined) return source
    }
    const parking = await collect.park(arrived, keys[0] ?? '', agent)
    const what = keys.length === 0 ? 'The request names no write key.' : 'No source has this write key.'
    throw new Refusal('unknown_write_key', `${what} ${parkingSays[parking]}`)
  }
}

const parkingSays: Readonly<Record<Parking, string>> = {
  parked: 'What you sent is parked for 24 hours and can be recovered.',
  too_large: 'What you sent was not kept: only bodies of up to 1 MiB are parked.',
  full: 'What you sent was not kept: too much is parked already.',
}

/** Fixed, and more than anyone sends: a retry adds headers, and a browser that was not allowed one drops the event. */
const allowedHeaders =
  'authorization, content-type, content-encoding, anonymousid, sentat, x-retry-count, rsa-retry-attempt, rsa-since-last-attempt, rsa-since-first-attempt, rsa-retry-reason, rsa-recovered'

function allowOrigins(request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers
  reply.header('vary', 'Origin')
  reply.header('access-control-allow-origin', origin ?? '*')
  if (origin !== undefined) reply.header('access-control-allow-credentials', 'true')
  reply.header('access-control-expose-headers', 'Retry-After')
  reply.header('cross-origin-resource-policy', 'cross-origin')
  if (request.method !== 'OPTIONS') return
  reply.header('access-control-allow-methods', 'GET, POST, OPTIONS')
  reply.header('access-control-allow-headers', allowedHeaders)
  reply.header('access-control-max-age', '7200')
}

/** By events, not by an async iterator: that costs as much as parsing a single event. */
function collectBytes(payload: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let size = 0
    payload.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      if (size <= limits.bodyBytes) chunks.push(chunk)
      else {
        payload.pause()
        reject(new Refusal('too_large', 'The body is larger than 8 MiB.'))
      }
    })
    payload.once('end', () => {
      const [only] = chunks
      resolve(chunks.length === 1 && Buffer.isBuffer(only) ? only : Buffer.concat(chunks, size))
    })
    payload.once('error', reject)
    payload.once('close', () => {
      // It closes after its end too, where a refusal that nobody hears would cost a tenth of the request's time, for its stack.
      if (!payload.readableEnded) reject(new Refusal('malformed_json', 'The body is cut.'))
    })
  })
}

const bodyOf = (request: FastifyRequest): Buffer => (Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0))

/** A pixel's query as an event: what an event has at the top stays there, all else are properties. */
function eventOfQuery(query: Record<string, unknown>, type: EventType): Record<string, unknown> {
  const top = ['userId', 'anonymousId', 'messageId', 'event', 'name', 'originalTimestamp', 'timestamp', 'sentAt']
  const event: Record<string, unknown> = { type }
  const properties: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(query)) {
    if (typeof value !== 'string' || key === 'writeKey') continue
    if (top.includes(key)) event[key] = value
    else if (key !== '__proto__') properties[key.replace(/^properties\./, '')] = value
  }
  return { ...event, properties }
}

/** One transparent dot in 43 bytes. */
const pixel = Buffer.from('R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64')

/** What is not a refusal is trouble on our side, and that is 503: a 500 would do for two of the four SDKs only. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Refusal('too_large')
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH' || code === 'ECONNRESET')
    return new Refusal('malformed_json', 'The body is cut.')
  return new Refusal('busy', undefined, { retryAfterSeconds: 5 })
}
