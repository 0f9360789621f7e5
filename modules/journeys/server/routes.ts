import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Journeys } from './service.ts'

export function addJourneyRoutes(http: Http, journeys: Journeys): void {
  handle(http, routes.list, () => journeys.list())
  handle(http, routes.get, ({ params }) => journeys.get(params.id))
  handle(http, routes.create, ({ caller, body }) => journeys.create(caller, body))
  handle(http, routes.change, ({ caller, params, body }) => journeys.change(caller, params.id, body))
  handle(http, routes.pause, ({ caller, params }) => journeys.pause(caller, params.id))
  handle(http, routes.resume, ({ caller, params }) => journeys.resume(caller, params.id))
  handle(http, routes.messages, ({ params, query }) => journeys.messages(params.id, query.state, query.after))
}
