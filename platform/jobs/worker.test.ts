import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { aPostgres } from '../../test/make/engines.ts'
import { silentLog } from '../log/log.ts'
import { job } from './jobs.ts'
import { createJobs } from './worker.ts'

const moduleAt = (name: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, name)).href)

/** Takes one job, says so and never ends it. */
const holder = (address: object) => `
  import { z } from 'zod'
  import { systemClock } from ${moduleAt('../clock/clock.ts')}
  import { silentLog } from ${moduleAt('../log/log.ts')}
  import { createPool } from ${moduleAt('../postgres/pool.ts')}
  import { job } from ${moduleAt('./jobs.ts')}
  import { createJobs } from ${moduleAt('./worker.ts')}
  const address = ${JSON.stringify(address)}
  const jobs = createJobs({ postgres: createPool(address, silentLog, systemClock, 2), address, log: silentLog })
  jobs.register(job('test.plan', z.object({ n: z.number() }), () => {
    process.stdout.write('taken')
    return new Promise(() => undefined)
  }))
  await jobs.start()
`

describe('background work', () => {
  it('that a killed process had begun is taken again by the next one', async () => {
    const postgres = await aPostgres()
    const { address } = postgres
    const again = Promise.withResolvers<number>()
    const plan = job('test.plan', z.object({ n: z.number() }), ({ n }) => {
      again.resolve(n)
      return Promise.resolve()
    })
    const jobs = createJobs({ postgres, address, log: silentLog })
    jobs.register(plan)
    await jobs.enqueue(postgres, plan, { n: 7 })
    expect(await jobs.oldestWaitingMs()).toBeGreaterThanOrEqual(0)

    const child = spawn(process.execPath, ['--input-type=module', '-e', holder(address)], {
      cwd: join(import.meta.dirname, '../..'),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')

    await jobs.start()
    try {
      expect(await again.promise).toBe(7)
    } finally {
      await jobs.stop()
    }
  })
})
