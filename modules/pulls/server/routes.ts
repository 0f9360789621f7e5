import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Pulls } from './service.ts'

export function addPullRoutes(http: Http, pulls: Pulls): void {
  handle(http, routes.list, () => pulls.list())
  handle(http, routes.get, ({ params }) => pulls.get(params.id))
  handle(http, routes.runs, ({ params }) => pulls.runs(params.id))
  handle(http, routes.test, ({ body: { password, ...connection } }) => pulls.test(connection, password))
  handle(http, routes.create, ({ caller, body }) => pulls.create(caller, body))
  handle(http, routes.connect, ({ caller, params, body }) =>
    pulls.connect(caller, params.id, body.connection, body.password),
  )
  handle(http, routes.tables, ({ params }) => pulls.tables(params.id))
  handle(http, routes.look, ({ params, body }) => pulls.look(params.id, body.from))
  handle(http, routes.plan, ({ caller, params, body }) => pulls.plan(caller, params.id, body))
  handle(http, routes.settings, ({ caller, params, body }) => pulls.settings(caller, params.id, body))
  handle(http, routes.run, ({ caller, params, body }) => pulls.run(caller, params.id, body.whole, body.letGo))
  handle(http, routes.cancel, ({ caller, params }) => pulls.cancel(caller, params.id))
  handle(http, routes.remove, async ({ caller, params }) => {
    await pulls.remove(caller, params.id)
    return {}
  })
}
