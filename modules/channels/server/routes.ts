import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Channels } from './service.ts'

export function addChannelRoutes(http: Http, channels: Channels): void {
  handle(http, routes.senders, () => channels.senders())
  handle(http, routes.createSender, ({ caller, body }) => channels.createSender(caller, body.name, body.address))
  handle(http, routes.route, () => channels.route())
  handle(http, routes.inbox, ({ query }) => channels.inbox(query.search, query.before))
  handle(http, routes.mail, ({ params }) => channels.mail(params.id))
}
