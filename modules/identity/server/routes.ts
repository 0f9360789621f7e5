import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Identity } from './service.ts'

export function addIdentityRoutes(http: Http, identity: Identity): void {
  handle(http, routes.explain, ({ params }) => identity.explain(params.id))
}
