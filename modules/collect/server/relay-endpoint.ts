import type { FastifyInstance } from 'fastify'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Secrets } from '../../../platform/secrets/secrets.ts'
import { decodeRelay, relayPath } from './relay.ts'
import type { RelayedBatch } from './relayed.ts'

const longestBytes = 32 * 1024 * 1024

/** Where other nodes hand on what they acknowledged. Nobody else can: the tag is made with the installation's secret. */
export function relayEndpoint(needs: {
  collect: { takeRelayed(batch: RelayedBatch): Promise<void> }
  secrets: Secrets
  now: () => number
}) {
  return function endpoint(scope: FastifyInstance, _options: unknown, done: () => void): void {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      'application/octet-stream',
      { parseAs: 'buffer', bodyLimit: longestBytes },
      (_request, body, parsed) => {
        parsed(null, body)
      },
    )
    scope.post(relayPath, async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
      )
      const batch = decodeRelay(headers, body, { secrets: needs.secrets, atMs: needs.now() })
      if (batch === undefined)
        throw new Refusal(
          'sign_in',
          'This is not from a node of this installation, or its clock is wrong by more than five minutes.',
        )
      await needs.collect.takeRelayed(batch)
      return reply.send({ taken: batch.records.length })
    })
    done()
  }
}
