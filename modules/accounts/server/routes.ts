import type { FastifyReply } from 'fastify'
import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import { cookieName, isSecure, sessionToken } from './authorise.ts'
import type { Accounts } from './service.ts'

const done = { done: true } as const

export function addAccountRoutes(http: Http, accounts: Accounts, publicUrl: () => string): void {
  const setCookie = (reply: FastifyReply, token: string | undefined) => {
    const secure = isSecure(publicUrl())
    const options = { path: '/', httpOnly: true, secure, sameSite: 'lax' as const }
    if (token === undefined) void reply.clearCookie(cookieName(secure), options)
    else void reply.setCookie(cookieName(secure), token, options)
  }
  handle(http, routes.signIn, async ({ body, request, reply }) => {
    const { token, caller } = await accounts.signIn(body.email, body.password, request.ip)
    setCookie(reply, token)
    return accounts.me(caller)
  })
  handle(http, routes.signOut, async ({ request, reply }) => {
    const token = sessionToken(request, publicUrl())
    if (token !== undefined) await accounts.signOut(token)
    setCookie(reply, undefined)
    return done
  })
  handle(http, routes.me, ({ caller }) => accounts.me(caller))
  handle(http, routes.demoAccounts, () => accounts.demoAccounts())
  handle(http, routes.link, ({ params }) => accounts.linkIsFor(params.token))
  handle(http, routes.accept, async ({ params, body, reply }) => {
    const { token, caller } = await accounts.accept(params.token, body)
    setCookie(reply, token)
    return accounts.me(caller)
  })
  handle(http, routes.people, () => accounts.people())
  handle(http, routes.invite, async ({ caller, body }) => ({ link: await accounts.invite(caller, body) }))
  handle(http, routes.passwordLink, async ({ caller, params }) => ({
    link: await accounts.passwordLink(caller, params.id),
  }))
  handle(http, routes.setRoles, ({ caller, params, body }) =>
    accounts.setRoles(caller, params.id, body.side, body.roles),
  )
  handle(http, routes.setDisabled, ({ caller, params, body }) => accounts.setDisabled(caller, params.id, body.disabled))
  handle(http, routes.password, async ({ caller, body }) => {
    await accounts.changePassword(caller, body.old, body.new)
    return done
  })
  handle(http, routes.totpStart, ({ caller }) => accounts.startTotp(caller))
  handle(http, routes.totpConfirm, async ({ caller, body }) =>
    accounts.me(await accounts.confirmTotp(caller, body.code)),
  )
  handle(http, routes.passkeyStart, ({ caller }) => accounts.startPasskey(caller))
  handle(http, routes.passkeyConfirm, async ({ caller, body }) =>
    accounts.me(await accounts.confirmPasskey(caller, body)),
  )
  handle(http, routes.stepUpStart, ({ caller }) => accounts.startStepUp(caller))
  handle(http, routes.stepUp, async ({ caller, body }) => accounts.me(await accounts.confirmStepUp(caller, body)))
  handle(http, routes.provePassword, async ({ caller, body }) => {
    await accounts.confirmPassword(caller, body.password)
    return done
  })
  handle(http, routes.apiKeys, ({ caller }) => accounts.apiKeys(caller))
  handle(http, routes.makeApiKey, ({ caller, body }) => accounts.makeApiKey(caller, body.name, body.scopes, body.days))
  handle(http, routes.revokeApiKey, async ({ caller, params }) => {
    await accounts.revokeApiKey(caller, params.id)
    return done
  })
}
