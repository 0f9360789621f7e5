import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Readable } from 'node:stream'
import type { z } from 'zod'
import type { AnyRoute, BodyOf, ParamsOf, QueryOf } from '../../lib/routes/routes.ts'
import { Refusal } from '../../lib/refusals/refusals.ts'
import type { Caller } from './caller.ts'

/** Finds out who asks, or refuses. `anyone` routes get `undefined` when nobody is signed in. */
export type Authorise = (request: FastifyRequest, route: AnyRoute) => Promise<Caller | undefined>

/**
 * Whether whoever opened something that goes on (a stream of events) may still have it: false once the session has ended, the key was revoked
 * or the permission is gone.
 */
export async function mayStill(
  http: Pick<Http, 'authorise'>,
  request: FastifyRequest,
  route: AnyRoute,
): Promise<boolean> {
  try {
    await http.authorise(request, route)
    return true
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}

/** The web server as modules see it: they add routes to it and nothing else. */
export interface Http {
  app: FastifyInstance
  authorise: Authorise
  /** Every route that was added, for OpenAPI and for the tests that walk all of them. */
  routes: AnyRoute[]
}

export interface Input<R extends AnyRoute> {
  params: ParamsOf<R>
  query: QueryOf<R>
  body: BodyOf<R>
  /** Present unless the route allows `anyone`. */
  caller: Caller
  request: FastifyRequest
  reply: FastifyReply
}

/** Whether a string in here cannot be kept by a database: with a NUL, or half of a surrogate pair. */
function unkeepable(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed()
  if (typeof value !== 'object' || value === null || value instanceof Readable) return false
  return Object.entries(value).some(([key, inner]) => unkeepable(key) || unkeepable(inner))
}

function parse<T extends z.ZodType>(schema: T | undefined, value: unknown, where: string): z.output<T> {
  if (schema === undefined) return undefined as z.output<T>
  if (unkeepable(value))
    throw new Refusal('bad_input', `Not as expected: ${where} holds a NUL character or half a surrogate pair.`)
  const parsed = schema.safeParse(value ?? {})
  if (parsed.success) return parsed.data
  const fields = parsed.error.issues.map((issue) => ({
    field: [where, ...issue.path].join('.'),
    problem: issue.message,
  }))
  throw new Refusal(
    'bad_input',
    `Not as expected: ${fields.map((field) => `${field.field} (${field.problem})`).join('; ')}.`,
    { fields },
  )
}

/** Adds one route: authorise, parse, run, answer. The one way in which a module serves JSON. */
export function handle<R extends AnyRoute>(
  http: Http,
  route: R,
  run: (input: Input<R>) => Promise<z.input<R['reply']>> | z.input<R['reply']>,
): void {
  http.routes.push(route)
  http.app.route({
    method: route.method,
    url: route.path,
    config: { upload: route.upload === true },
    handler: async (request, reply) => {
      const caller = await http.authorise(request, route)
      const input: Input<R> = {
        params: parse(route.params, request.params, 'path') as ParamsOf<R>,
        query: parse(route.query, request.query, 'query') as QueryOf<R>,
        body: parse(route.body, request.body, 'body') as BodyOf<R>,
        caller: caller as Caller,
        request,
        reply,
      }
      const answer = await run(input)
      if (!reply.sent) await reply.send(answer ?? {})
      return reply
    },
  })
}
