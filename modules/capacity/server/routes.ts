import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Capacity } from './service.ts'

export function addCapacityRoutes(http: Http, capacity: Capacity): void {
  handle(http, routes.page, () => capacity.page())
  handle(http, routes.measure, ({ caller }) => capacity.measure(caller))
  handle(http, routes.cancel, () => capacity.cancel())
  handle(http, routes.assume, ({ caller, body }) => capacity.assume(caller, body))
}
