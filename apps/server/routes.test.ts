import { beforeAll, describe, expect, it } from 'vitest'
import { Secret, TOTP } from 'otpauth'
import { aCampaignHouse, type CampaignHouse } from '../../test/make/campaign-house.ts'
import type { AnyRoute } from '../../lib/routes/routes.ts'
import { roles, type KeyScope, type Role } from '../../modules/accounts/contract.ts'
import type { Authorise } from '../../platform/http/http.ts'

const password = 'correct horse battery'

describe('every route', () => {
  let house: CampaignHouse
  let routes: AnyRoute[]
  const cookies: Partial<Record<Role, string>> = {}
  let key: string
  let keyScopes: KeyScope[]

  /** Somebody with this role, in the browser; and how to prove that they are there. */
  const enter = async (role: Role) => {
    const { accounts, postgres } = house.app
    const email = `${role}@fjörd.example`
    await postgres.transaction((tx) =>
      accounts.createPerson(tx, { email, name: role, side: 'it', roles: [role], password }),
    )
    return (await accounts.signIn(email, password, '192.0.2.1')).token
  }
  beforeAll(async () => {
    house = await aCampaignHouse()
    const { accounts, http } = house.app
    routes = http.routes
    for (const role of Object.keys(roles) as Role[]) cookies[role] = await enter(role)
    const again = async () => {
      const caller = await accounts.bySession(cookies.protection ?? '')
      if (caller === undefined) throw new Error('no session')
      return caller
    }
    const { secret } = await accounts.startTotp(await again())
    const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: house.clock.ms() })
    await accounts.confirmTotp(await again(), code)
    keyScopes = ['data.read']
    key = (await accounts.makeApiKey(await again(), 'a key', keyScopes, undefined)).key
  })

  const ask = (route: AnyRoute, headers: Record<string, string>) =>
    house.app.http.app.inject({
      method: route.method,
      url: route.path.replace(/:\w+/g, 'x'),
      headers: { 'x-interlock': '1', ...headers },
    })
  /** Only whether it is let in, so that nothing is done. */
  const letIn = async (route: AnyRoute, headers: Record<string, string>, token?: string) =>
    house.app.http
      .authorise(
        // Of a request, only these are looked at.
        {
          headers: { 'x-interlock': '1', ...headers },
          cookies: token === undefined ? {} : { '__Host-interlock': token },
        } as unknown as Parameters<Authorise>[0],
        route,
      )
      .then(
        () => 'in',
        (error: unknown) => (error as { code?: string }).code ?? String(error),
      )

  it('names what it needs, and only what exists', () => {
    const known = new Set<string>(['anyone', 'signed-in', ...Object.values(roles).flat()])
    expect(routes.length).toBeGreaterThan(60)
    expect(routes.filter((route) => !known.has(route.allow)).map((route) => route.path)).toEqual([])
    expect(routes.filter((route) => route.allow === 'anyone').map((route) => `${route.method} ${route.path}`)).toEqual(
      expect.arrayContaining(['POST /api/sign-in', 'POST /api/sign-out']),
    )
  })

  it('refuses whoever is not signed in, unless it is for anyone', async () => {
    for (const route of routes.filter((one) => one.allow !== 'anyone')) {
      const answer = await ask(route, {})
      expect([answer.statusCode, answer.json<{ code: string }>().code], `${route.method} ${route.path}`).toEqual([
        401,
        'sign_in',
      ])
    }
  })

  it('is open to exactly the roles that give what it needs', async () => {
    for (const role of Object.keys(roles) as Role[]) {
      const gives: readonly string[] = roles[role]
      for (const route of routes) {
        const may = route.allow === 'anyone' || route.allow === 'signed-in' || gives.includes(route.allow)
        expect(await letIn(route, {}, cookies[role]), `${role}: ${route.method} ${route.path}`).toBe(
          may ? 'in' : 'not_allowed',
        )
      }
    }
  })

  it('refuses a viewer whatever changes something that a viewer may not', async () => {
    for (const route of routes.filter((one) => !['anyone', 'signed-in', 'data.read'].includes(one.allow))) {
      const answer = await ask(route, { cookie: `__Host-interlock=${cookies.viewer ?? ''}` })
      expect([answer.statusCode, answer.json<{ code: string }>().code], `${route.method} ${route.path}`).toEqual([
        403,
        'not_allowed',
      ])
    }
  })

  it('is open to an API key only by a permission among its scopes, never by being signed in', async () => {
    const scopes: readonly string[] = keyScopes
    for (const route of routes)
      expect(await letIn(route, { authorization: `Bearer ${key}` }), `${route.method} ${route.path}`).toBe(
        route.allow === 'anyone' || scopes.includes(route.allow) ? 'in' : 'not_allowed',
      )
    for (const path of ['/api/requests/x/keys', '/api/requests/x/keys/withdraw', '/api/requests/x/preflight']) {
      const answer = await house.app.http.app.inject({
        method: 'POST',
        url: path,
        headers: { authorization: `Bearer ${key}` },
      })
      expect(answer.statusCode, path).toBe(403)
    }
  })

  it('that changes something refuses other sites, and addresses that are none', async () => {
    const change = routes.filter((one) => one.method !== 'GET')
    const cookie = `__Host-interlock=${cookies.member ?? ''}`
    for (const headers of [
      { origin: 'null' },
      { origin: 'garbage' },
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site', origin: 'http://localhost' },
    ])
      for (const route of change) {
        const answer = await ask(route, { cookie, ...(headers as Record<string, string>) })
        expect([answer.statusCode, answer.json<{ code: string }>().code], route.path).toEqual([403, 'cross_site'])
      }
    const bare = await house.app.http.app.inject({ method: 'POST', url: '/api/me/totp', headers: { cookie } })
    expect(bare.json<{ code: string }>().code).toBe('cross_site')
  })

  it('of an https installation takes the session from the __Host- cookie alone', async () => {
    const member = cookies.member ?? ''
    const me = (cookie: string) => house.app.http.app.inject({ url: '/api/me', headers: { cookie } })
    expect((await me(`__Host-interlock=${member}`)).statusCode).toBe(200)
    expect((await me(`interlock=${member}`)).statusCode).toBe(401)
  })

  it('about people’s accounts shows their history to auditors and to themselves', async () => {
    const { accounts } = house.app
    const member = await accounts.bySession(cookies.member ?? '')
    const other = await accounts.bySession(cookies.administrator ?? '')
    const of = async (id: string | undefined, role: Role) =>
      (
        await house.app.http.app.inject({
          url: `/api/audit/of/account/${id ?? ''}`,
          headers: { cookie: `__Host-interlock=${cookies[role] ?? ''}` },
        })
      ).statusCode
    expect(await of(member?.accountId, 'member')).toBe(200)
    expect(await of(other?.accountId, 'member')).toBe(403)
    expect(await of(member?.accountId, 'administrator')).toBe(200)
  })

  it('that goes on ends when the session does', async () => {
    const { http, accounts } = house.app
    await http.listen('127.0.0.1', 0)
    const at = http.app.server.address()
    const port = typeof at === 'object' && at !== null ? at.port : 0
    const token = (await accounts.signIn('viewer@fjörd.example', password, '192.0.2.1')).token
    const stream = await fetch(`http://127.0.0.1:${String(port)}/api/collect/stream`, {
      headers: { cookie: `__Host-interlock=${token}` },
    })
    expect(stream.status).toBe(200)
    await accounts.signOut(token)
    // Ends by itself at the next heartbeat.
    expect(await stream.text()).toContain(': open')
  })
})
