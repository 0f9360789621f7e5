import { Refusal } from '../../../lib/refusals/refusals.ts'
import { handle, type Http } from '../../../platform/http/http.ts'
import { routes, type Entry } from '../contract.ts'
import type { Audit } from './service.ts'

/** Kinds of things whose history tells about people. */
const aboutPeople = new Set(['account', 'invitation', 'key'])

/** @param names what accounts are called now, for the page; the log itself holds ids */
export function addAuditRoutes(
  http: Http,
  audit: Audit,
  names: (ids: readonly string[]) => Promise<Record<string, string>>,
): void {
  const named = async (entries: Entry[]) => ({
    entries,
    actors: await names([...new Set(entries.map((entry) => entry.actor.id))]),
  })
  handle(http, routes.list, async ({ query }) => named(await audit.list(query)))
  handle(http, routes.of, async ({ caller, params }) => {
    const own = params.kind === 'account' && params.id === caller.accountId
    if (aboutPeople.has(params.kind) && !own && !caller.permissions.has('audit.read'))
      throw new Refusal(
        'not_allowed',
        'What was done to other people’s accounts is read with the permission “audit.read”.',
        {
          permission: 'audit.read',
        },
      )
    return named(await audit.list({ ...params, limit: 200 }))
  })
  handle(http, routes.verify, () => audit.verify())
}
