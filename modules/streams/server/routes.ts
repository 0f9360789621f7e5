import { Readable } from 'node:stream'
import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Streams } from './service.ts'

export function addStreamRoutes(http: Http, streams: Streams): void {
  handle(http, routes.list, () => streams.list())
  handle(http, routes.runs, () => streams.runs())
  handle(http, routes.get, ({ params }) => streams.get(params.id))
  handle(http, routes.decide, ({ caller, params, body }) => streams.decide(caller, params.id, body))
  handle(http, routes.take, ({ caller, query, request }) =>
    streams.take(caller, query, request.body instanceof Readable ? request.body : Readable.from([])),
  )
}
