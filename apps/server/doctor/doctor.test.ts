import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../platform/clock/clock.ts'
import { readConfig } from '../../../platform/config/config.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { startPostgres } from '../../../platform/postgres/child.ts'
import { ensureDatabase } from '../../../platform/postgres/migrate.ts'
import { lookAtPostgres } from '../../../platform/postgres/open.ts'
import { aMailSink } from '../../../test/make/mail-sink.ts'
import { healthFindings } from './serving.ts'
import { stores } from './stores.ts'
import { surroundings } from './surroundings.ts'

describe('the doctor', () => {
  let dataDir: string
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'il-dåctor-'))
  })
  afterEach(() => {
    const database = join(dataDir, 'postgres')
    if (existsSync(database)) rmSync(realpathSync(database), { recursive: true, force: true })
    rmSync(dataDir, { recursive: true, force: true })
  })
  const config = (environment: Record<string, string> = {}) => readConfig(environment, { dataDir, port: 0 })
  const wrong = async (environment?: Record<string, string>) =>
    (await surroundings(config(environment), false)).filter((found) => !found.ok).map((found) => found.name)

  it('takes an entry of the server for well only when it says so', () => {
    expect(
      healthFindings({
        ready: false,
        postgres: { ok: true },
        jobs: { ok: false },
        disk: { ok: false, because: 'full' },
      }),
    ).toMatchObject([
      { name: 'postgres', ok: true },
      { name: 'jobs', ok: false },
      { name: 'disk', ok: false, says: 'full' },
    ])
  })

  it('migrates nothing when it looks at an installation whose server is stopped', async () => {
    const server = await startPostgres(dataDir, silentLog, systemClock)
    await ensureDatabase(server.socketDirectory, 'interlock')
    await server.stop()
    mkdirSync(join(dataDir, 'journal'))
    mkdirSync(join(dataDir, 'clickhouse'))
    const before = readdirSync(dataDir)
    const found = await stores(config())
    expect(found.find(({ name }) => name === 'PostgreSQL')).toMatchObject({ ok: true })
    expect(found.find(({ name }) => name === 'PostgreSQL')?.says).toContain('the next start applies')
    expect(
      readdirSync(dataDir).filter(
        (name) => !before.includes(name) && !/^(lock|owner.json|engine.xml|clickhouse-inbox|data)$/.test(name),
      ),
    ).toEqual([])
    const opened = await lookAtPostgres({ dataDir }, silentLog, systemClock)
    expect(await opened.pool.query(`SELECT nspname FROM pg_namespace WHERE nspname = 'platform'`)).toEqual([])
    await opened.close()
  })

  it('sees a key that others can read, one that is lost, and a database of which only the link is here', async () => {
    expect(await wrong()).toEqual([])
    writeFileSync(join(dataDir, 'secret.key'), 'x'.repeat(48))
    chmodSync(join(dataDir, 'secret.key'), 0o644)
    expect(await wrong()).toEqual(['Secret key'])
    rmSync(join(dataDir, 'secret.key'))
    symlinkSync(join(dataDir, 'gone'), join(dataDir, 'postgres'))
    mkdirSync(join(dataDir, 'journal'))
    expect(await wrong()).toEqual(['Secret key', 'Folder postgres'])
  })

  it('tries the mail server as a mail would', async () => {
    const sink = await aMailSink()
    expect(await wrong({ INTERLOCK_SMTP_URL: sink.url })).toEqual([])
    await sink.close()
    expect(await wrong({ INTERLOCK_SMTP_URL: sink.url })).toEqual(['Mail route'])
  })
})
