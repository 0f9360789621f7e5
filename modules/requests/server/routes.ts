import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Requests } from './service.ts'

export function addRequestRoutes(http: Http, requests: Requests): void {
  handle(http, routes.list, ({ caller, query }) => requests.list(caller, query.covers))
  handle(http, routes.get, ({ caller, params }) => requests.get(caller, params.id))
  handle(http, routes.foresee, ({ caller, query }) => requests.foresee(caller, query.kind, query.objectId))
  handle(http, routes.open, ({ caller, body }) => requests.open(caller, body.kind, body.objectId, body.note))
  handle(http, routes.giveKey, ({ caller, params, body }) =>
    requests.giveKey(caller, params.id, body.releaseHash, body.kind, body.condition),
  )
  handle(http, routes.withdrawKey, ({ caller, params, body }) => requests.withdrawKey(caller, params.id, body.because))
  handle(http, routes.launch, ({ caller, params, body }) => requests.launch(caller, params.id, body.releaseHash))
  handle(http, routes.withdraw, ({ caller, params }) => requests.withdraw(caller, params.id))
  handle(http, routes.preflight, ({ caller, params }) => requests.preflight(caller, params.id))
  handle(http, routes.comment, ({ caller, params, body }) => requests.comment(caller, params.id, body.text))
}
