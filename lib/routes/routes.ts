import type { z } from 'zod'

/**
 * What a caller must hold: a permission of `modules/accounts/contract.ts`, `anyone` (no sign-in) or `signed-in`.
 * Every route names one: a route without it does not compile.
 */
export type Allow = 'anyone' | 'signed-in' | (string & {})

/** One line of a module's contract: the door, what it takes, what it gives. Server, client and OpenAPI read the same value. */
export interface Route<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Reply extends z.ZodType,
> {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Fastify's form: `/api/tools/:id`. */
  path: string
  /** One sentence for /api/docs. */
  summary: string
  allow: Allow
  /** The body is a file of any length: it may take long to come, as long as it comes. */
  upload?: true
  params?: Params
  query?: Query
  body?: Body
  reply: Reply
}

export type AnyRoute = Route<z.ZodType, z.ZodType, z.ZodType, z.ZodType>

/** Keeps the types of a route while checking its form. */
export function route<
  Reply extends z.ZodType,
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
>(definition: Route<Params, Query, Body, Reply>): Route<Params, Query, Body, Reply> {
  return definition
}

type Of<T> = T extends z.ZodType ? T : never
/** What a handler receives: parsed values. */
export type ParamsOf<R extends AnyRoute> = z.output<Of<R['params']>>
export type QueryOf<R extends AnyRoute> = z.output<Of<R['query']>>
export type BodyOf<R extends AnyRoute> = z.output<Of<R['body']>>
export type ReplyOf<R extends AnyRoute> = z.output<R['reply']>
/** What a client sends: values before parsing. */
export interface SentTo<R extends AnyRoute> {
  params?: z.input<Of<R['params']>>
  query?: z.input<Of<R['query']>>
  body?: z.input<Of<R['body']>>
}
