import type { FastifyRequest } from 'fastify'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Authorise } from '../../../platform/http/http.ts'
import type { Accounts } from './service.ts'

export const cookieName = (secure: boolean) => (secure ? '__Host-interlock' : 'interlock')

/** The session token of a request, whichever cookie this address allows. */
export function sessionToken(request: FastifyRequest): string | undefined {
  return request.cookies[cookieName(true)] ?? request.cookies[cookieName(false)]
}

/**
 * The one place where a request is let in. API keys come as `Authorization: Bearer il_…`; everything else needs a session cookie and, when it
 * changes something, must come from our own pages (Sec-Fetch-Site or Origin, and a header that no other site can set).
 */
export function createAuthorise(accounts: Accounts): Authorise {
  return async (request, route) => {
    const bearer = /^Bearer (il_\S+)$/.exec(request.headers.authorization ?? '')?.[1]
    let caller: Caller | undefined
    if (bearer !== undefined) {
      caller = await accounts.byApiKey(bearer)
      if (caller === undefined) throw new Refusal('sign_in', 'This API key is unknown, expired or revoked.')
    } else {
      if (route.method !== 'GET') ownPagesOnly(request)
      const token = sessionToken(request)
      caller = token === undefined ? undefined : await accounts.bySession(token)
    }
    if (route.allow === 'anyone') return caller
    if (caller === undefined) throw new Refusal('sign_in')
    if (route.allow !== 'signed-in' && !caller.permissions.has(route.allow))
      throw new Refusal(
        'not_allowed',
        `This needs the permission “${route.allow}”, which your roles (${caller.roles.join(', ')}) do not give.`,
        { permission: route.allow },
      )
    return caller
  }
}

function ownPagesOnly(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site']
  const origin = request.headers.origin
  const sameOrigin =
    site === undefined ? origin === undefined || new URL(origin).host === request.headers.host : site === 'same-origin'
  if (!sameOrigin || request.headers['x-interlock'] === undefined) throw new Refusal('cross_site')
}
