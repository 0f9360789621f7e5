import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { createHash } from 'node:crypto'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

/** Browsers keep it for an hour, and go on with it for a day while they ask whether there is a new one. */
const caching = 'public, max-age=3600, stale-while-revalidate=86400'

/**
 * `/interlock.js`: our own tracker, for the pages of other sites. A plugin of its own, because its answers are for everybody: no cookie, any origin.
 * Packed once, when the server starts.
 * @param script what `sdk/browser` builds; undefined where it was not built, and then nothing is served
 */
export function trackerScript(script: Uint8Array | undefined) {
  return async function endpoint(scope: FastifyInstance): Promise<void> {
    if (script === undefined) return
    const hash = createHash('sha256').update(script).digest('base64url').slice(0, 27)
    const forms = {
      br: brotliCompressSync(script, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
      gzip: gzipSync(script, { level: 9 }),
      '': Buffer.from(script),
    }
    scope.get('/interlock.js', (request: FastifyRequest, reply: FastifyReply) => {
      const form = formFor(request.headers['accept-encoding'])
      const tag = `"${hash}${form === '' ? '' : `-${form}`}"`
      reply.headers({
        'access-control-allow-origin': '*',
        'cache-control': caching,
        'cross-origin-resource-policy': 'cross-origin',
        etag: tag,
        'timing-allow-origin': '*',
        vary: 'Accept-Encoding',
      })
      const known = (request.headers['if-none-match'] ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''))
      if (known.includes(tag) || known.includes('*')) return reply.code(304).send()
      if (form !== '') reply.header('content-encoding', form)
      return reply.type('text/javascript; charset=utf-8').send(forms[form])
    })
  }
}

/** The smallest form that the client takes; what it says with `q=0` it does not take. */
function formFor(accepted: string | undefined): 'br' | 'gzip' | '' {
  const taken = new Set(
    (accepted ?? '').split(',').flatMap((one) => {
      const [name = '', ...rest] = one
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/)
      return rest.some((word) => /^q=0(\.0*)?$/.test(word)) ? [] : [name]
    }),
  )
  return taken.has('br') ? 'br' : taken.has('gzip') ? 'gzip' : ''
}
