import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Content } from './service.ts'

export function addContentRoutes(http: Http, content: Content): void {
  handle(http, routes.list, () => content.list())
  handle(http, routes.get, ({ params }) => content.get(params.id))
  handle(http, routes.versions, ({ params }) => content.versions(params.id))
  handle(http, routes.create, ({ caller, body }) => content.create(caller, body.name, body.body))
  handle(http, routes.change, ({ caller, params, body }) => content.change(caller, params.id, body.name, body.body))
  handle(http, routes.preview, ({ body }) => content.preview(body.body, body.profileId))
  handle(http, routes.test, async ({ caller, params, body }) => ({
    says: await content.sendTest(caller, params.id, body),
  }))
}
