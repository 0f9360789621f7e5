import cookie from '@fastify/cookie'
import helmet from '@fastify/helmet'
import files from '@fastify/static'
import { fastify, type FastifyInstance } from 'fastify'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { openApi } from '../../lib/openapi/openapi.ts'
import { Refusal, type RefusalCode } from '../../lib/refusals/refusals.ts'
import type { Config } from '../config/config.ts'
import type { Log } from '../log/log.ts'
import { docsPage } from './docs-page.ts'
import type { Authorise, Http } from './http.ts'

export interface HealthCheck {
  name: string
  /** Resolves when it works; the text of the error says what does not. */
  check(): Promise<void>
}

export interface HttpNeeds {
  config: Pick<Config, 'trustProxy'>
  log: Log
  authorise: Authorise
  health: HealthCheck[]
  metrics: Registry
  version: string
  /** Where the built pages are; undefined serves none. */
  pages: string | undefined
}

/** What Fastify itself refuses, in our words. */
const theirs: Record<string, RefusalCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'too_large',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'bad_input',
  FST_ERR_BAD_URL: 'not_found',
}

export interface HttpServer extends Http {
  app: FastifyInstance
  /** @returns the address that answers. @throws with the port in the message when it is taken */
  listen(host: string, port: number): Promise<string>
  close(): Promise<void>
}

/** The web server: security headers, one shape of refusal, health, metrics, OpenAPI, the built pages. Modules add their routes to it. */
export async function createHttp(needs: HttpNeeds): Promise<HttpServer> {
  const { log } = needs
  const app = fastify({
    logger: false,
    bodyLimit: 1_048_576,
    requestTimeout: 30_000,
    forceCloseConnections: true,
    trustProxy: needs.config.trustProxy.length > 0 ? needs.config.trustProxy : false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 300 },
    genReqId: (() => {
      let count = 0
      return () => `r${(count++).toString(36)}`
    })(),
  })
  await app.register(cookie)
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        // Mantine sets positions as style attributes; no style element or sheet from elsewhere is needed.
        styleSrc: ["'self'"],
        styleSrcAttr: ["'unsafe-inline'"],
        styleSrcElem: ["'self'", "'unsafe-inline'"],
        fontSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        frameSrc: ["'self'", 'blob:'],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'same-origin' },
  })
  // A file that is handed in arrives as it is, in pieces, never whole in memory.
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => {
    done(null, payload)
  })

  app.setErrorHandler(async (error, request, reply) => {
    let refusal: Refusal
    if (error instanceof Refusal) refusal = error
    else {
      const code = (error as { code?: string }).code
      const known = code === undefined ? undefined : theirs[code]
      const status = (error as { statusCode?: number }).statusCode ?? 500
      if (known !== undefined) refusal = new Refusal(known)
      else if (status >= 400 && status < 500)
        refusal = new Refusal('bad_input', error instanceof Error ? error.message : undefined)
      else {
        log.error('a request failed', error, {
          request: request.id,
          method: request.method,
          route: request.routeOptions.url,
        })
        refusal = new Refusal('failure', undefined, { request: request.id })
      }
    }
    const wait = refusal.extra['retryAfterSeconds']
    if (typeof wait === 'number') void reply.header('Retry-After', String(Math.max(1, Math.ceil(wait))))
    return reply.status(refusal.status).type('application/problem+json').send(JSON.stringify(refusal.problem()))
  })

  const routes: Http['routes'] = []
  collectDefaultMetrics({ register: needs.metrics })
  app.get('/health/live', () => ({ live: true }))
  app.get('/health/ready', async (_request, reply) => {
    const entries = await Promise.all(
      needs.health.map(async ({ name, check }) => {
        const answer = await Promise.race([
          check().then(
            () => undefined,
            (error: unknown) => (error instanceof Error ? error.message : String(error)),
          ),
          new Promise<string>((resolve) => setTimeout(resolve, 3_000, 'no answer within 3 seconds').unref()),
        ])
        return [name, answer === undefined ? { ok: true } : { ok: false, because: answer }] as const
      }),
    )
    const ready = entries.every(([, entry]) => entry.ok)
    return reply.status(ready ? 200 : 503).send({ ready, ...Object.fromEntries(entries) })
  })
  app.get('/metrics', async (request, reply) => {
    if (!['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(request.ip))
      throw new Refusal('not_allowed', 'Metrics are given to this machine only.')
    return reply.type(needs.metrics.contentType).send(await needs.metrics.metrics())
  })
  app.get('/api/openapi.json', () => openApi(routes, needs.version))
  app.get('/api/docs', (_request, reply) => reply.type('text/html; charset=utf-8').send(docsPage(routes)))

  const { pages } = needs
  const built = pages !== undefined && existsSync(join(pages, 'index.html'))
  if (built) {
    await app.register(files, {
      root: pages,
      wildcard: false,
      index: false,
      setHeaders: (reply, path) =>
        void reply.header(
          'Cache-Control',
          path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
        ),
    })
  }
  app.setNotFoundHandler(async (request, reply) => {
    const wantsPage =
      request.method === 'GET' &&
      !request.url.startsWith('/api/') &&
      (request.headers.accept ?? '').includes('text/html')
    if (wantsPage && built) return reply.header('Cache-Control', 'no-cache').sendFile('index.html')
    throw new Refusal('not_found')
  })

  return {
    app,
    authorise: needs.authorise,
    routes,
    async listen(host, port) {
      try {
        return await app.listen({ host, port })
      } catch (error) {
        if ((error as { code?: string }).code === 'EADDRINUSE')
          throw new Error(
            `Port ${String(port)} on ${host} is taken by another program. Stop it, or choose another port with --port.`,
            { cause: error },
          )
        if ((error as { code?: string }).code === 'EACCES')
          throw new Error(`Port ${String(port)} is not yours to use. Choose one above 1023 with --port.`, {
            cause: error,
          })
        throw error
      }
    },
    close: () => app.close(),
  }
}
