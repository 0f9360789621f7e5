import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Segments } from './service.ts'

export function addSegmentRoutes(http: Http, segments: Segments): void {
  handle(http, routes.list, () => segments.list())
  handle(http, routes.catalogue, () => segments.catalogue())
  handle(http, routes.get, ({ params }) => segments.get(params.id))
  handle(http, routes.create, ({ caller, body }) => segments.create(caller, body.name, body.definition))
  handle(http, routes.change, ({ caller, params, body }) =>
    segments.change(caller, params.id, body.name, body.definition),
  )
  handle(http, routes.archive, ({ caller, params, body }) => segments.archive(caller, params.id, body.archived))
  handle(http, routes.why, ({ params }) => segments.why(params.id, params.person))
  handle(http, routes.history, ({ params }) => segments.history(params.id))
  handle(http, routes.ofPerson, ({ params }) => segments.ofPerson(params.id))
  handle(http, routes.preview, ({ body, request }) => {
    // Whoever types on has no use for the answer to the last letter: the question ends with the request.
    const gone = new AbortController()
    request.raw.on('close', () => {
      if (request.raw.destroyed) gone.abort()
    })
    return segments.preview(body, gone.signal)
  })
}
