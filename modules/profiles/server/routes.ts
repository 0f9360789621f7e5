import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Profiles } from './service.ts'

export function addProfileRoutes(http: Http, profiles: Profiles): void {
  handle(http, routes.list, ({ query }) => profiles.find(query.search, query.after))
  handle(http, routes.byIdentifier, ({ query }) => profiles.by(query))
  handle(http, routes.get, ({ params }) => profiles.get(params.id))
  handle(http, routes.timeline, ({ params, query }) => profiles.timeline(params.id, query.before))
  handle(http, routes.fields, () => profiles.fields())
}
