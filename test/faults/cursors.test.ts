import { describe, expect, it } from 'vitest'
import { createAudit } from '../../modules/audit/server/index.ts'
import { systemClock } from '../../platform/clock/clock.ts'
import { prepareJobs } from '../../platform/jobs/worker.ts'
import { aCollectServer } from '../make/collect-server.ts'
import { aPostgres } from '../make/engines.ts'
import { mariadbPath } from '../make/mariadb.ts'
import { aLegacyMariaDb, aLegacyPostgres, type Legacy } from './parts/legacy.ts'
import { storm } from './parts/pull-storm.ts'

/** The short form of `npm run faults -- cursors`. */
async function shortStorm(legacy: Legacy) {
  const postgres = await aPostgres()
  await prepareJobs(postgres.address)
  const server = await aCollectServer({ postgres })
  try {
    const audit = createAudit({ postgres, clock: systemClock })
    return await storm(legacy, { ...server, audit }, 20, legacy.kind === 'postgres' ? 3 : 4, 900)
  } finally {
    await server.close()
    await legacy.stop()
  }
}
const whole = { missing: 0, doubled: 0, wrong: 0, deletesUnseen: 0 }

describe('pulls while writers commit late and pulls are killed', () => {
  it('lose, double and miss nothing of a PostgreSQL', async () => {
    const seen = await shortStorm(await aLegacyPostgres())
    expect(seen).toMatchObject(whole)
    expect(seen.kills).toBeGreaterThan(0)
    expect(seen.deleted).toBeGreaterThan(0)
  })

  it.skipIf(mariadbPath === undefined)('lose, double and miss nothing of a MariaDB', async () => {
    const seen = await shortStorm(await aLegacyMariaDb())
    expect(seen).toMatchObject(whole)
    expect(seen.kills).toBeGreaterThan(0)
    expect(seen.deleted).toBeGreaterThan(0)
  })
})
