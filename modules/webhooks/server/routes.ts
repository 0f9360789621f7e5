import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import { presets } from './presets/index.ts'
import type { Webhooks } from './service.ts'

export function addWebhookRoutes(http: Http, webhooks: Webhooks): void {
  handle(http, routes.list, () => webhooks.list())
  handle(http, routes.get, ({ params }) => webhooks.get(params.id))
  handle(http, routes.presets, () => presets)
  handle(http, routes.create, ({ caller, body }) => webhooks.create(caller, body))
  handle(http, routes.change, ({ caller, params, body }) => webhooks.change(caller, params.id, body))
  handle(http, routes.secret, ({ caller, params, body }) => webhooks.giveSecret(caller, params.id, body.secret))
  handle(http, routes.dropSecret, ({ caller, params }) => webhooks.dropSecret(caller, params.id))
  handle(http, routes.mapping, ({ caller, params, body }) => webhooks.map(caller, params.id, body.mapping))
  handle(http, routes.versions, ({ params }) => webhooks.versions(params.id))
  handle(http, routes.deliveries, ({ params }) => webhooks.deliveries(params.id))
  handle(http, routes.preview, ({ params, body }) => webhooks.preview(params.id, body.mapping))
  handle(http, routes.replay, ({ caller, params }) => webhooks.replay(caller, params.id))
  handle(http, routes.remove, async ({ caller, params }) => {
    await webhooks.remove(caller, params.id)
    return {}
  })
}
