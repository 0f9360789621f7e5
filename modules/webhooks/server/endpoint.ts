import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Log } from '../../../platform/log/log.ts'
import { limits } from '../../collect/server/index.ts'
import type { Webhooks } from './service.ts'

/**
 * Where other systems send: `/hooks/:id`, a plugin of its own, so that its body stays the bytes that were signed. Every answer follows from what senders
 * do with it: Shopify and those that follow Standard Webhooks send again on anything but 2xx and give the address up after some days; WooCommerce
 * never sends again and switches its webhook off after five failures. So 2xx is said to everything genuine that is kept, 401 to what is not
 * genuine, and 503 with Retry-After only when it could not be kept.
 */
export function webhookEndpoint(needs: { webhooks: Webhooks; log: Log }) {
  const { webhooks, log } = needs
  return async function endpoint(scope: FastifyInstance): Promise<void> {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request: FastifyRequest, payload: AsyncIterable<Uint8Array>) => read(payload))
    scope.addHook('onRequest', async (request) => {
      if (request.headers['content-type'] !== undefined) {
        // As it was said, for whoever looks at it later; Fastify must not have an opinion of it.
        request.headers['x-said-content-type'] = request.headers['content-type']
        request.headers['content-type'] = 'application/octet-stream'
      }
    })
    scope.setErrorHandler(async (error: unknown, request, reply: FastifyReply) => {
      const refusal = refusalOf(error)
      if (refusal.code === 'busy' && !(error instanceof Refusal)) log.error('A delivery failed.', error)
      if (refusal.code === 'too_large') {
        const hook = await webhooks.find(idOf(request)).catch(() => undefined)
        if (hook !== undefined) await webhooks.reject(hook, 'too_large')
      }
      const seconds = Number(refusal.extra['retryAfterSeconds'] ?? 5)
      if (refusal.status === 503 || refusal.status === 429)
        reply.header('retry-after', String(Math.max(1, Math.ceil(seconds))))
      return reply
        .code(refusal.status)
        .type('application/problem+json; charset=utf-8')
        .send({ success: false, ...refusal.problem() })
    })
    scope.route({
      method: 'POST',
      url: '/hooks/:id',
      // Who names no address of ours, or one whose source is off, sends no body first.
      preParsing: async (request, _reply, payload) => {
        const hook = await webhooks.find(idOf(request))
        if (hook === undefined) throw new Refusal('not_found', 'There is no webhook at this address.')
        await webhooks.admit(hook)
        return payload
      },
      handler: async (request, reply) => {
        const hook = await webhooks.find(idOf(request))
        if (hook === undefined) throw new Refusal('not_found', 'There is no webhook at this address.')
        const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
        const { outcome, reason, accepted, quarantined } = await webhooks.receive(hook, raw, headersOf(request))
        return reply.code(200).send({ success: true, outcome, reason, accepted, quarantined })
      },
    })
  }
}

const idOf = (request: FastifyRequest): string => (request.params as { id: string }).id.slice(0, 60)

function headersOf(request: FastifyRequest): Record<string, string> {
  const entries = Object.entries(request.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(',') : value] as const],
  )
  const { 'x-said-content-type': said, ...headers } = Object.fromEntries(entries)
  return said === undefined ? headers : { ...headers, 'content-type': said }
}

async function read(payload: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of payload) {
    size += chunk.length
    if (size > limits.bodyBytes) throw new Refusal('too_large', 'The body is larger than 8 MiB.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

/** What is no refusal is trouble on our side: 503, so that whoever can sends again. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Refusal('too_large')
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH' || code === 'ECONNRESET')
    return new Refusal('bad_input', 'The body is cut.')
  return new Refusal('busy', undefined, { retryAfterSeconds: 5 })
}
