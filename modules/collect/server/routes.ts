import { Readable } from 'node:stream'
import type { Http } from '../../../platform/http/http.ts'
import { handle, mayStill } from '../../../platform/http/http.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import { routes, type Inspected, type Json } from '../contract.ts'
import type { Replays } from './replays.ts'
import type { Collect } from './service.ts'

/** A comment now and then, so that proxies keep the stream open. */
const heartbeatMs = 15_000

/** @param nameOf what a source is called, for files that people read */
export function addCollectRoutes(
  http: Http,
  collect: Collect,
  replays: Replays,
  clock: Clock,
  nameOf: (sourceId: string) => string,
): void {
  handle(http, routes.ledger, () => collect.ledger())
  handle(http, routes.ledgerPage, ({ query }) => collect.ledgerPage(query))
  handle(http, routes.ledgerCsv, async ({ query, reply }) => {
    await reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', 'attachment; filename="ledger.csv"')
      .send(Readable.from(collect.ledgerLines(query, nameOf)))
  })
  handle(http, routes.recent, ({ query }) => ({
    events: collect.inspector.recent({ sourceId: query.source, limit: query.limit }),
  }))
  handle(http, routes.way, ({ query }) => collect.way(query))
  handle(http, routes.event, async ({ params }) => {
    const found = await collect.raw(BigInt(params.position))
    let event: Json = null
    try {
      event = JSON.parse(found.raw) as Json
    } catch {
      // It is shown as the text it is.
    }
    return { ...found, event }
  })
  handle(http, routes.quarantine, ({ query }) => collect.quarantine(query))
  handle(http, routes.replays, async () => ({ replays: await replays.list() }))
  handle(http, routes.checkReplay, ({ caller, body }) => replays.check(caller, body))
  handle(http, routes.runReplay, ({ caller, params }) => replays.run(caller, params.id))
  handle(http, routes.cancelReplay, ({ caller, params }) => replays.cancel(caller, params.id))
  handle(http, routes.parked, async () => ({ keys: await collect.parked() }))
  handle(http, routes.recover, ({ caller, body }) => collect.recover(caller, body.writeKey, body.sourceId))
  handle(http, routes.stream, ({ query, request, reply }) => {
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    const tell = (events: Inspected[]) => {
      const some = events.filter((event) => query.source === undefined || event.sourceId === query.source)
      // Whoever reads too slowly misses some: an inspector, not a feed.
      if (some.length > 0 && raw.writableLength < 1_000_000) raw.write(`data: ${JSON.stringify(some)}\n\n`)
    }
    raw.write(`: open\n\n`)
    const stopWatching = collect.inspector.watch(tell)
    const stopBeating = clock.every(
      heartbeatMs,
      async () => {
        if (await mayStill(http, request, routes.stream)) raw.write(': still here\n\n')
        else end()
      },
      () => {
        end()
      },
    )
    const end = () => {
      stopWatching()
      stopBeating()
      collect.stopping.removeEventListener('abort', end)
      raw.end()
    }
    raw.on('close', end)
    collect.stopping.addEventListener('abort', end)
    return undefined
  })
}
