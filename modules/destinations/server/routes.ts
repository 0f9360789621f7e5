import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Destinations } from './service.ts'

export function addDestinationRoutes(http: Http, destinations: Destinations): void {
  handle(http, routes.kinds, () => destinations.kinds())
  handle(http, routes.known, () => destinations.known())
  handle(http, routes.list, ({ caller }) => destinations.list(caller))
  handle(http, routes.get, ({ caller, params }) => destinations.get(caller, params.id))
  handle(http, routes.create, ({ caller, body }) => destinations.create(caller, body))
  handle(http, routes.change, ({ caller, params, body }) => destinations.change(caller, params.id, body))
  handle(http, routes.rotate, ({ caller, params, body }) => destinations.rotate(caller, params.id, body.name))
  handle(http, routes.pause, ({ caller, params }) => destinations.pause(caller, params.id))
  handle(http, routes.resume, ({ caller, params }) => destinations.resume(caller, params.id))
  handle(http, routes.test, ({ caller, params }) => destinations.test(caller, params.id))
  handle(http, routes.deadLetters, ({ params, query }) => destinations.deadLetters(params.id, query.before))
  handle(http, routes.replay, async ({ caller, params, body }) => ({
    again: await destinations.replay(caller, params.id, body.ids),
  }))
}
