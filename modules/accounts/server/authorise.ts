import type { FastifyRequest } from 'fastify'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Authorise } from '../../../platform/http/http.ts'
import type { Accounts } from './service.ts'

export const cookieName = (secure: boolean) => (secure ? '__Host-interlock' : 'interlock')

/** Whether people come by https; then only the cookie that a sub-domain cannot set counts. */
export const isSecure = (publicUrl: string) => publicUrl.startsWith('https:')

/** The session token of a request, from the one cookie that this address uses. */
export function sessionToken(request: FastifyRequest, publicUrl: string): string | undefined {
  return request.cookies[cookieName(isSecure(publicUrl))]
}

/**
 * The one place where a request is let in. API keys come as `Authorization: Bearer il_…`; everything else needs a session cookie and, when it
 * changes something, must come from our own pages (Sec-Fetch-Site or Origin, and a header that no other site can set). A route that names no
 * permission but `signed-in` is for people: the scopes of a key say nothing about it, so no key passes.
 */
export function createAuthorise(
  accounts: Pick<Accounts, 'byApiKey' | 'bySession'>,
  publicUrl: () => string,
): Authorise {
  return async (request, route) => {
    const bearer = /^Bearer (il_\S+)$/.exec(request.headers.authorization ?? '')?.[1]
    let caller: Caller | undefined
    if (bearer !== undefined) {
      caller = await accounts.byApiKey(bearer)
      if (caller === undefined) throw new Refusal('sign_in', 'This API key is unknown, expired or revoked.')
    } else {
      if (route.method !== 'GET') ownPagesOnly(request)
      const token = sessionToken(request, publicUrl())
      caller = token === undefined ? undefined : await accounts.bySession(token)
    }
    if (route.allow === 'anyone') return caller
    if (caller === undefined) throw new Refusal('sign_in')
    if (route.allow === 'signed-in' && caller.kind === 'api-key')
      throw new Refusal('not_allowed', 'This is for people who are signed in; no scope of an API key gives it.')
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
    site === undefined
      ? origin === undefined || URL.parse(origin)?.host === request.headers.host
      : site === 'same-origin'
  if (!sameOrigin || request.headers['x-interlock'] === undefined) throw new Refusal('cross_site')
}
