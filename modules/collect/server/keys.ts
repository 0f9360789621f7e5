import type { FastifyRequest } from 'fastify'

export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

export const queryOf = (request: FastifyRequest) => request.query as Record<string, unknown>

/** The write keys that a request names outside its body: Basic user with or without ':', the query, a bearer token; whoever names it first. */
export function keysNamed(request: FastifyRequest): string[] {
  const keys: string[] = []
  const [scheme = '', value = ''] = (headerOf(request, 'authorization') ?? '').split(/\s+/, 2)
  if (/^basic$/i.test(scheme)) keys.push(Buffer.from(value, 'base64').toString('utf8').split(':')[0] ?? '')
  const { writeKey } = queryOf(request)
  if (typeof writeKey === 'string') keys.push(writeKey)
  if (/^bearer$/i.test(scheme)) keys.push(value)
  return keys.filter((key) => key !== '')
}
