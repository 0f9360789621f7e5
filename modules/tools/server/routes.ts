import { Refusal } from '../../../lib/refusals/refusals.ts'
import { handle, type Http } from '../../../platform/http/http.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { routes } from '../contract.ts'
import type { Tools } from './service.ts'

export function addToolRoutes(http: Http, postgres: Postgres, tools: Tools): void {
  handle(http, routes.list, () => tools.list())
  handle(http, routes.get, async ({ params }) => {
    const tool = await tools.get(postgres, params.id)
    if (tool === undefined) throw new Refusal('not_found', 'There is no such tool.')
    return { tool, integrations: await tools.integrationsOf(params.id) }
  })
  handle(http, routes.create, ({ caller, body }) => tools.create(caller, body))
  handle(http, routes.change, ({ caller, params, body }) => tools.change(caller, params.id, body))
}
