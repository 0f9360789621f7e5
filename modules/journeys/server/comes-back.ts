import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { ledger } from './ledger.ts'
import type { TrackingLinks } from './links.ts'
import { isMachine, messageEvent } from './message-events.ts'

const pixel = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')

/**
 * `/l/<token>` and `/o/<token>.gif`: what links and the picture of a mail ask for. No cookie, no sign-in. A person is never kept waiting or
 * turned away because counting failed: the link leads on, and what could not be counted is in the log.
 */
export function comesBack(needs: {
  postgres: Postgres
  clock: Clock
  log: Log
  links: TrackingLinks
  hand: (events: readonly unknown[]) => Promise<void>
}) {
  const { postgres, clock, log, links } = needs

  async function tell(
    name: 'Message Opened' | 'Message Clicked',
    message: string,
    request: FastifyRequest,
    href?: string,
  ) {
    const at = clock.now()
    try {
      const row = await ledger(postgres).get(message)
      if (row === undefined) return
      const agent = request.headers['user-agent']
      // Nobody reads a mail within a second of its delivery; gateways that look at every link and picture do.
      const machine =
        isMachine(agent, request.method) || (row.state !== 'planned' && at.getTime() - row.changed_at.getTime() < 1_000)
      await needs.hand([
        messageEvent(name, row, at, {
          key: at.getTime().toString(36),
          properties: { machine, ...(href === undefined ? {} : { link: href.slice(0, 500) }) },
        }),
      ])
    } catch (error) {
      log.error('an open or click could not be counted', error, { message })
    }
  }

  return async function pages(scope: FastifyInstance): Promise<void> {
    scope.route<{ Params: { token: string }; Querystring: { to?: string } }>({
      method: ['GET', 'HEAD'],
      url: '/l/:token',
      handler: async (request, reply) => {
        const href = typeof request.query.to === 'string' ? request.query.to : ''
        const message = links.readClick(request.params.token, href)
        if (message === undefined)
          return reply
            .code(404)
            .type('text/plain; charset=utf-8')
            .send('This link was changed on its way, so it leads nowhere. Use the link in your mail as it was sent.')
        // Whoever clicked is led on at once; the count follows.
        if (request.method === 'GET') void tell('Message Clicked', message, request, href)
        return reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer').redirect(href, 302)
      },
    })
    scope.route<{ Params: { token: string } }>({
      method: ['GET', 'HEAD'],
      url: '/o/:token',
      handler: async (request, reply) => {
        const message = links.readOpen(request.params.token)
        if (message !== undefined && request.method === 'GET') void tell('Message Opened', message, request)
        return reply
          .header('cache-control', 'no-store')
          .header('cross-origin-resource-policy', 'cross-origin')
          .type('image/gif')
          .send(pixel)
      },
    })
    return Promise.resolve()
  }
}
