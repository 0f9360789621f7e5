import { handle, type Http } from '../../../platform/http/http.ts'
import { Readable } from 'node:stream'
import { routes } from '../contract.ts'
import type { Imports } from './service.ts'

export function addImportRoutes(http: Http, imports: Imports): void {
  handle(http, routes.list, () => imports.list())
  handle(http, routes.get, ({ params }) => imports.get(params.id))
  handle(http, routes.upload, ({ caller, query, request }) =>
    imports.upload(
      caller,
      query.sourceId,
      query.fileName,
      request.body instanceof Readable ? request.body : request.raw,
    ),
  )
  handle(http, routes.plan, ({ caller, params, body }) => imports.plan(caller, params.id, body.format, body.columns))
  handle(http, routes.check, ({ caller, params }) => imports.check(caller, params.id))
  handle(http, routes.run, ({ caller, params }) => imports.run(caller, params.id))
  handle(http, routes.cancel, ({ caller, params }) => imports.cancel(caller, params.id))
}
