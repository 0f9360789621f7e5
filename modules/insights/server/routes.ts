import { Readable } from 'node:stream'
import { handle, type Http } from '../../../platform/http/http.ts'
import { routes } from '../contract.ts'
import type { Insights } from './service.ts'

export function addInsightRoutes(http: Http, insights: Insights): void {
  handle(http, routes.reports, () => insights.reports())
  handle(http, routes.report, ({ params }) => insights.report(params.id))
  handle(http, routes.csv, async ({ caller, params, reply }) => {
    const lines = insights.people(caller, params.id)[Symbol.asyncIterator]()
    // The first line before any answer, so that a refusal is still one.
    const first = await lines.next()
    await reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="${params.id}.csv"`)
      .send(
        Readable.from(
          (async function* () {
            if (first.done !== true) yield first.value
            for (let line = await lines.next(); line.done !== true; line = await lines.next()) yield line.value
          })(),
        ),
      )
  })
}
