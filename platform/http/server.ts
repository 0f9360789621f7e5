import cookie from '@fastify/cookie'
import helmet from '@fastify/helmet'
import files from '@fastify/static'
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { collectDefaultMetrics, Histogram, type Registry } from 'prom-client'
import { isDeeperThan } from '../../lib/json/depth.ts'
import { z } from 'zod'
import { openApi } from '../../lib/openapi/openapi.ts'
import { Refusal, type RefusalCode } from '../../lib/refusals/refusals.ts'
import { route } from '../../lib/routes/routes.ts'
import type { Config } from '../config/config.ts'
import type { Log } from '../log/log.ts'
import { docsPage, docsStyle } from './docs-page.ts'
import { goesBy } from './hosts.ts'
import type { Authorise, Http } from './http.ts'
import { loseThePatience, patience, type Patience } from './patience.ts'

export interface HealthCheck {
  name: string
  /** Resolves when it works; the text of the error says what does not. */
  check(): Promise<void>
  /** It is told, and the server is ready all the same. */
  tellOnly?: true
}

export interface HttpNeeds {
  config: Pick<Config, 'trustProxy' | 'publicUrl' | 'allowedHosts'>
  log: Log
  authorise: Authorise
  health: HealthCheck[]
  metrics: Registry
  version: string
  /** Where the built pages are; undefined serves none. */
  pages: string | undefined
  patience?: Patience
}

/** What Fastify itself refuses, in our words. */
const theirs: Record<string, RefusalCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'too_large',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'bad_input',
  FST_ERR_BAD_URL: 'not_found',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
}

/** Levels of nesting that a body of the API may have. */
const mostDepth = 32
/** After being told to close, running requests get this long. */
const graceMs = 10_000
/** What the page builder puts where a nonce belongs (apps/web/vite.config.ts, `html.cspNonce`). */
const noncePlace = 'INTERLOCK_NONCE'

/** Nothing from elsewhere, nothing inline. */
const policy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  fontSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  manifestSrc: ["'self'"],
  workerSrc: ["'self'"],
  frameSrc: ["'self'", 'blob:'],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
  baseUri: ["'none'"],
}

/**
 * The policy of the one page of the web app. Mantine positions things with style attributes, and puts its variables into style elements: those
 * carry the nonce of this answer. A page that was built without a place for the nonce may have style elements of its own; scripts never.
 */
function pagePolicy(nonce: string | undefined): string {
  const directives = {
    ...policy,
    'style-src-attr': ["'unsafe-inline'"],
    'style-src-elem': ["'self'", nonce === undefined ? "'unsafe-inline'" : `'nonce-${nonce}'`],
  }
  return Object.entries(directives)
    .map(([name, values]) => `${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${values.join(' ')}`)
    .join(';')
}

const metricsRoute = route({
  method: 'GET',
  path: '/metrics',
  summary: 'Figures for Prometheus.',
  allow: 'anyone',
  reply: z.string(),
})
/** The addresses that a route answers. */
const pattern = (path: string) =>
  new RegExp(`^${path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z]+/g, '[^/]+')}$`)

export interface HttpServer extends Http {
  app: FastifyInstance
  /** @returns the address that answers. @throws with the port in the message when it is taken */
  listen(host: string, port: number): Promise<string>
  close(): Promise<void>
}

/** The web server: security headers, one shape of refusal, health, metrics, OpenAPI, the built pages. Modules add their routes to it. */
export async function createHttp(needs: HttpNeeds): Promise<HttpServer> {
  const { log } = needs
  const longest = needs.patience ?? patience
  const app = fastify({
    logger: false,
    bodyLimit: 1_048_576,
    // The longest that any route takes in; most are cut far earlier (patience.ts).
    requestTimeout: longest.uploadMs,
    http: { headersTimeout: longest.stillMs, connectionsCheckingInterval: Math.ceil(longest.stillMs / 6) },
    forceCloseConnections: 'idle',
    // Whoever still asks over an open connection while we close is answered like everybody, and the connection ends with it.
    return503OnClosing: false,
    trustProxy: needs.config.trustProxy.length > 0 ? needs.config.trustProxy : false,
    routerOptions: { maxParamLength: 300 },
    // What the router itself cannot read never reaches the handlers below.
    frameworkErrors: (error, _request, reply) => {
      const refusal = new Refusal(theirs[error.code] ?? 'bad_input')
      reply.raw.writeHead(refusal.status, {
        'content-type': 'application/problem+json',
        'content-security-policy': "default-src 'none'",
        'x-content-type-options': 'nosniff',
      })
      reply.raw.end(JSON.stringify(refusal.problem()))
    },
    genReqId: (() => {
      let count = 0
      return () => `r${(count++).toString(36)}`
    })(),
  })
  loseThePatience(app, longest)
  const names = [
    ...needs.config.allowedHosts,
    ...(needs.config.publicUrl === undefined ? [] : [new URL(needs.config.publicUrl).host]),
  ]
  const knownHost = (request: FastifyRequest) => {
    if (!goesBy(request.headers.host, names))
      throw new Refusal(
        'cross_site',
        'This server does not go by the name that was asked for. Names are set by INTERLOCK_PUBLIC_URL and INTERLOCK_ALLOWED_HOSTS.',
      )
  }
  // Tracking endpoints and what mails link to are for everybody's pages; they take no session.
  app.addHook('onRequest', (request, _reply, done) => {
    const path = request.routeOptions.url ?? ''
    if (path.startsWith('/api/') || path === '/metrics') knownHost(request)
    done()
  })
  await app.register(cookie)
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: policy,
    },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'same-origin' },
  })
  // JSON as always, refused before it is parsed when it nests too deeply; `__proto__` and `constructor` keys are refused too.
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    const body = typeof text === 'string' ? text : text.toString('utf8')
    // A deed without details may come with an empty body.
    if (body === '') done(null, undefined)
    else if (isDeeperThan(body, mostDepth)) done(new Refusal('too_deep'), undefined)
    else void parseJson(request, body, done)
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
  const seconds = new Histogram({
    name: 'interlock_http_request_seconds',
    help: 'Time to answer, by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [needs.metrics],
  })
  app.addHook('onResponse', async (request, reply) => {
    seconds.observe(
      { method: request.method, route: request.routeOptions.url ?? 'none', status: reply.statusCode },
      reply.elapsedTime / 1000,
    )
  })
  app.get('/health/live', () => ({ live: true }))
  app.get('/health/ready', async (_request, reply) => {
    const entries = await Promise.all(
      needs.health.map(async ({ name, check, tellOnly }) => {
        const answer = await Promise.race([
          check().then(
            () => undefined,
            (error: unknown) => (error instanceof Error ? error.message : String(error)),
          ),
          new Promise<string>((resolve) => setTimeout(resolve, 3_000, 'no answer within 3 seconds').unref()),
        ])
        return { name, tellOnly, entry: answer === undefined ? { ok: true } : { ok: false, because: answer } }
      }),
    )
    const ready = entries.every(({ entry, tellOnly }) => entry.ok || tellOnly === true)
    return reply
      .status(ready ? 200 : 503)
      .send({ ready, ...Object.fromEntries(entries.map(({ name, entry }) => [name, entry])) })
  })
  app.get('/metrics', async (request, reply) => {
    if (!(await mayReadMetrics(request)))
      throw new Refusal(
        'not_allowed',
        'Metrics are given to this machine, asked directly, and to whoever has the permission “audit.read”.',
      )
    return reply.type(needs.metrics.contentType).send(await needs.metrics.metrics())
  })
  app.get('/api/openapi.json', () => openApi(routes, needs.version))
  app.get('/api/docs.css', (_request, reply) => reply.type('text/css; charset=utf-8').send(docsStyle))
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
  const index = built ? readFileSync(join(pages, 'index.html'), 'utf8') : ''
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    // The front page is for whoever asks, curl and uptime checks too; elsewhere a program that went astray is told so.
    const wantsPage =
      (request.method === 'GET' || request.method === 'HEAD') &&
      (path === '/' || (!path.startsWith('/api/') && (request.headers.accept ?? '').includes('text/html')))
    if (wantsPage && built) {
      knownHost(request)
      const nonce = index.includes(noncePlace) ? randomBytes(16).toString('base64') : undefined
      return reply
        .headers({ 'cache-control': 'no-cache', 'content-security-policy': pagePolicy(nonce) })
        .type('text/html; charset=utf-8')
        .send(nonce === undefined ? index : index.replaceAll(noncePlace, nonce))
    }
    const others = routes.filter((route) => pattern(route.path).test(path)).map((route) => route.method)
    if (others.length > 0 || !['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].includes(request.method)) {
      void reply.header('allow', [...new Set(others)].join(', '))
      throw new Refusal('wrong_method')
    }
    throw new Refusal('not_found')
  })

  /** This machine, asked directly and not through a proxy that speaks for others; or somebody who may look at everything. */
  async function mayReadMetrics(request: FastifyRequest): Promise<boolean> {
    const forwarded = Object.keys(request.headers).some((name) =>
      /^(x-forwarded-.*|forwarded|x-real-ip|via|x-client-ip|cf-connecting-ip|true-client-ip)$/.test(name),
    )
    if (!forwarded && ['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(request.socket.remoteAddress ?? '')) return true
    const caller = await needs.authorise(request, metricsRoute)
    return caller?.permissions.has('audit.read') === true
  }

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
    async close() {
      const late = setTimeout(() => {
        app.server.closeAllConnections()
      }, graceMs)
      try {
        await app.close()
      } finally {
        clearTimeout(late)
      }
    },
  }
}
