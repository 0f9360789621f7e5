import { handle, type Http } from '../../../platform/http/http.ts'
import { routes, type Entry } from '../contract.ts'
import type { Audit } from './service.ts'

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
  handle(http, routes.of, async ({ params }) => named(await audit.list({ ...params, limit: 200 })))
  handle(http, routes.verify, () => audit.verify())
}
