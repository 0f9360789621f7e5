import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Script } from '../../../platform/files/scripts.ts'
import type { Source, Sources } from '../../sources/server/index.ts'
import type { BrowserLibrary } from './browser-library.ts'
import { keysNamed } from './keys.ts'

/**
 * What the browser SDKs ask before they send: their settings, and Segment's own script. None of it fails: without an answer
 * an SDK stops for good and takes its page's events with it, so while keys are not loaded the answer is the one that lets
 * it begin.
 */
export function addAnswersForBrowsers(
  scope: FastifyInstance,
  needs: {
    sources: Pick<Sources, 'byWriteKey'>
    library: BrowserLibrary
    /** Under which address SDKs reach us; by default the one they asked. */
    publicUrl?: string | undefined
  },
): void {
  const { sources, library } = needs

  scope.route({
    method: ['GET', 'OPTIONS'],
    url: '/v1/projects/:writeKey/settings',
    handler: (request, reply) => {
      const { writeKey } = request.params as { writeKey: string }
      const [protocol = 'http', host = ''] = addressOf(request, needs.publicUrl).split('://')
      // Without sampleRate 0 the SDK reports to segment.io how it does.
      return reply.header('cache-control', 'public, max-age=60').send({
        integrations: { 'Segment.io': { apiKey: writeKey, apiHost: `${host}/v1`, protocol } },
        metrics: { sampleRate: 0 },
        plan: { track: { __default: { enabled: true, integrations: {} } } },
      })
    },
  })

  for (const url of ['/sourceConfig', '/sourceConfig/']) {
    scope.route({
      method: ['GET', 'OPTIONS'],
      url,
      handler: (request, reply) => {
        const keys = keysNamed(request)
        const source = sourceNow(keys)
        return reply.header('cache-control', 'no-cache').send({
          source: {
            id: source?.id ?? 'unknown',
            name: source?.name ?? 'unknown',
            writeKey: keys[0] ?? '',
            // Off only when somebody switched it off: it stops the SDK.
            enabled: source?.enabled ?? true,
            workspaceId: 'interlock',
            config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } },
            destinations: [],
          },
          updatedAt: source?.createdAt ?? '1970-01-01T00:00:00.000Z',
          workspaceId: 'interlock',
        })
      },
    })
  }

  scope.route({
    method: ['GET', 'OPTIONS'],
    url: '/analytics.js/v1/:writeKey/analytics.min.js',
    // An hour: pages get the SDK of a new release without being touched.
    handler: (request, reply) => give(request, reply, library.main, 'public, max-age=3600'),
  })
  scope.route({
    method: ['GET', 'OPTIONS'],
    url: '/analytics-next/bundles/:name',
    handler: (request, reply) => {
      const { name } = request.params as { name: string }
      const part = library.parts.get(name)
      if (part === undefined) throw new Refusal('not_found')
      // Its name has a hash of what is in it.
      return give(request, reply, part, 'public, max-age=31536000, immutable')
    },
  })

  /** As far as it is known now: nothing here waits and nothing fails. */
  function sourceNow(keys: readonly string[]): Source | undefined {
    try {
      return keys.map((key) => sources.byWriteKey(key)).find((source) => source !== undefined)
    } catch (error) {
      if (error instanceof Refusal && error.code === 'busy') return undefined
      throw error
    }
  }
}

/** Where SDKs reach us, without a slash at its end. */
const addressOf = (request: FastifyRequest, publicUrl: string | undefined) =>
  (publicUrl ?? `${request.protocol}://${request.host}`).replace(/\/+$/, '')

function give(request: FastifyRequest, reply: FastifyReply, script: Script, cacheControl: string): FastifyReply {
  reply.headers({ 'cache-control': cacheControl, etag: script.etag, vary: 'Origin, Accept-Encoding' })
  if (request.headers['if-none-match']?.includes(script.etag) === true) return reply.code(304).send()
  const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  if (takesGzip) reply.header('content-encoding', 'gzip')
  return reply.type('text/javascript; charset=utf-8').send(takesGzip ? script.packed : script.bytes)
}
