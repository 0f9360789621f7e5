import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { StandingImports } from './service.ts'

export function addStandingImportRoutes(http: Http, standing: StandingImports): void {
  handle(http, routes.list, () => standing.list())
  handle(http, routes.get, ({ params }) => standing.get(params.id))
  handle(http, routes.takings, ({ params }) => standing.takings(params.id))
  handle(http, routes.create, ({ caller, body }) => standing.create(caller, body))
  handle(http, routes.place, ({ caller, params, body }) => standing.place(caller, params.id, body.place, body.secret))
  handle(http, routes.settings, ({ caller, params, body }) => standing.settings(caller, params.id, body))
  handle(http, routes.look, ({ caller, params }) => standing.look(caller, params.id))
  handle(http, routes.stop, ({ caller, params }) => standing.stopComing(caller, params.id))
  handle(http, routes.leave, ({ caller, params }) => standing.leave(caller, params.id))
  handle(http, routes.remove, async ({ caller, params }) => {
    await standing.remove(caller, params.id)
    return {}
  })
}
