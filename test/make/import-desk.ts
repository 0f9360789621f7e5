import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'vitest'
import { systemClock as clock } from '../../platform/clock/clock.ts'
import { createFiles } from '../../platform/files/files.ts'
import type { Caller } from '../../platform/http/caller.ts'
import { createJobs, prepareJobs } from '../../platform/jobs/worker.ts'
import { silentLog } from '../../platform/log/log.ts'
import { createIds, systemRandom } from '../../platform/random/random.ts'
import { aCollectServer } from './collect-server.ts'
import { aPostgres } from './engines.ts'
import { file, type Cells } from './shop-exports.ts'
import { createAudit } from '../../modules/audit/server/index.ts'
import type { Import } from '../../modules/imports/contract.ts'
import { createImports } from '../../modules/imports/server/index.ts'

export const caller: Caller = {
  kind: 'person',
  accountId: 'account_ивайло' as never,
  name: 'Ивайло',
  side: 'it',
  roles: [],
  permissions: new Set(['data.write']),
  sessionId: undefined,
  steppedUpAtMs: undefined,
}

interface Stored {
  id: string
  name: string
  at: string
  who: { type: string; value: string }[]
  p: Record<string, unknown>
}

/** Imports of a source on real engines, in chunks of two so that what belongs together does not come together. */
export async function aDesk() {
  const postgres = await aPostgres()
  await prepareJobs(postgres.address)
  const server = await aCollectServer({ postgres })
  const audit = createAudit({ postgres, clock })
  const ids = createIds(clock, systemRandom)
  const imports = createImports({
    postgres,
    clock,
    ids,
    log: silentLog,
    files: createFiles(join(server.folder, 'files')),
    jobs: createJobs({ postgres, address: postgres.address, log: silentLog, concurrency: 1 }),
    audit,
    sources: server.sources,
    collect: server.collect,
    rowsAtOnce: 2,
  })
  let nth = 0
  const handIn = (header: string, rows: readonly Cells[]) =>
    imports.upload(
      caller,
      server.source.id,
      `export ${String((nth += 1))}.csv`,
      Readable.from([Buffer.from(file(header, rows))]),
    )
  return {
    server,
    postgres,
    audit,
    ids,
    imports,
    handIn,
    async readIn(header: string, rows: readonly Cells[]): Promise<Import> {
      const { id } = await handIn(header, rows)
      const done = await imports.through(id, 'run')
      expect(done.because).toBeNull()
      const { rows: all = 0, sent = 0, unchanged = 0, quarantined = 0, rejected = 0 } = done.counts ?? {}
      expect(all).toBe(sent + unchanged + quarantined + rejected)
      return done
    },
    /** Stored events of which the message id is like this. */
    async events(id: string): Promise<Stored[]> {
      await server.collect.drained()
      return server.clickhouse.query<Stored>(
        `SELECT message_id AS id, name, toString(time) AS at, arrayMap(one -> map('type', one.type, 'value', one.value), external_ids) AS who, properties AS p FROM event
         WHERE message_id LIKE {id:String} ORDER BY message_id SETTINGS output_format_json_quote_64bit_integers = 0`,
        { id },
      )
    },
    async consentsOf(email: string) {
      await server.collect.drained()
      return server.clickhouse.query(
        `SELECT name, properties.channel::String AS channel, properties.topic::String AS topic, toString(time) AS at FROM event
         WHERE startsWith(name, 'Consent') AND properties.email::String = {email:String} ORDER BY channel`,
        { email },
      )
    },
  }
}
export type Desk = Awaited<ReturnType<typeof aDesk>>
