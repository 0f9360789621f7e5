import { Readable } from 'node:stream'
import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Feeds } from './service.ts'

export function addFeedRoutes(http: Http, feeds: Feeds): void {
  handle(http, routes.list, () => feeds.list())
  handle(http, routes.get, ({ params }) => feeds.get(params.id))
  handle(http, routes.items, ({ params, query }) => feeds.items(params.id, query.limit))
  handle(http, routes.readings, ({ params }) => feeds.readings(params.id))
  handle(http, routes.create, ({ caller, body }) => feeds.create(caller, body))
  handle(http, routes.change, ({ caller, params, body }) => feeds.change(caller, params.id, body))
  handle(http, routes.read, ({ caller, params }) => feeds.read(caller, params.id))
  handle(http, routes.upload, ({ caller, params, request }) =>
    feeds.upload(caller, params.id, request.body instanceof Readable ? request.body : request.raw),
  )
  handle(http, routes.remove, async ({ caller, params }) => {
    await feeds.remove(caller, params.id)
    return {}
  })
}
