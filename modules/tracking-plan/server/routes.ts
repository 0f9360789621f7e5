import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { TrackingPlans } from './service.ts'

export function addTrackingPlanRoutes(http: Http, plans: TrackingPlans): void {
  handle(http, routes.list, async () => ({ plans: await plans.list() }))
  handle(http, routes.get, ({ params }) => plans.get(params.sourceId))
  handle(http, routes.version, ({ params }) => plans.version(params.sourceId, params.version))
  handle(http, routes.save, ({ caller, params, body }) =>
    plans.save(caller, params.sourceId, body.content, body.basedOn, body.note),
  )
  handle(http, routes.seen, ({ params }) => plans.seen(params.sourceId))
  handle(http, routes.adopt, ({ caller, params, body }) => plans.adopt(caller, params.sourceId, body.events))
  handle(http, routes.judge, ({ params, body }) => plans.judge(params.sourceId, body.content))
  handle(http, routes.violations, ({ params, query }) => plans.violations(params.sourceId, query.period))
  handle(http, routes.client, ({ params }) => plans.client(params.sourceId))
}
