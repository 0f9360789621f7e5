import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Consent } from './service.ts'

export function addConsentRoutes(http: Http, consent: Consent): void {
  handle(http, routes.topics, () => consent.countedTopics())
  handle(http, routes.unknownTopics, () => consent.unknownTopics())
  handle(http, routes.setTopic, ({ caller, params, body }) => consent.setTopic(caller, { ...body, id: params.id }))
  handle(http, routes.standing, ({ query }) => consent.standing(consent.addressKey(query.email)))
  handle(http, routes.suppress, ({ caller, body }) => consent.suppressByHand(caller, body.email, body.scope))
  handle(http, routes.lift, ({ caller, body }) => consent.liftByHand(caller, body.email, body.scope, body.because))
}
