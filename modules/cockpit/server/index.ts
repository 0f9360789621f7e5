import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { CockpitService } from './service.ts'

export { createCockpit } from './service.ts'

export function addCockpitRoutes(http: Http, cockpit: CockpitService): void {
  handle(http, routes.home, ({ caller }) => cockpit.home(caller))
  handle(http, routes.trickle, ({ body }) => cockpit.trickle(body.running))
}
