import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Deciding } from './deciding.ts'
import type { Identity } from './service.ts'

/** @param nameOf what colleagues are called, by their account ids */
export function addIdentityRoutes(
  http: Http,
  identity: Identity,
  deciding: Deciding,
  nameOf: (accounts: readonly string[]) => Promise<Record<string, string>>,
): void {
  handle(http, routes.explain, async ({ params }) => {
    const known = await identity.explain(params.id)
    const names = await nameOf(known.decisions.flatMap((one) => one.decidedBy ?? []))
    const called = (id: string | null) => (id === null ? null : (names[id] ?? 'a colleague'))
    return { ...known, decisions: known.decisions.map((one) => ({ ...one, decidedBy: called(one.decidedBy) })) }
  })
  handle(http, routes.split, ({ caller, params, body }) =>
    deciding.split(caller, params.id, body.identifiers, body.because),
  )
  handle(http, routes.join, ({ caller, params, body }) => deciding.join(caller, params.id, body.with, body.because))
}
