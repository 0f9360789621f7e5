import { Refusal } from '../../../lib/refusals/refusals.ts'
import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Sources } from './service.ts'

export function addSourceRoutes(http: Http, sources: Sources): void {
  handle(http, routes.list, () => ({ sources: sources.list() }))
  handle(http, routes.get, async ({ params }) => {
    const source = await sources.get(params.id)
    if (source === undefined) throw new Refusal('not_found', 'There is no such source.')
    return source
  })
  handle(http, routes.create, ({ caller, body }) => sources.create(caller, body))
  handle(http, routes.change, ({ caller, params, body }) => sources.change(caller, params.id, body))
}
