import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../clock/clock.ts'
import { silentLog } from '../log/log.ts'
import { startPostgres } from '../postgres/child.ts'
import { backUp, restore } from './backup.ts'
import { DatabaseMissing, refuseWhenLost } from './history.ts'

const embedded = { postgres: true, clickhouse: true }
const now = new Date('2028-02-29T09:59:59Z')

describe('a backup', () => {
  /** Under a home of mode 700: started as root, the database lies elsewhere, behind a link. */
  let home: string
  let dataDir: string
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'il-håme-'))
    dataDir = join(home, 'data')
    mkdirSync(dataDir)
  })
  afterEach(() => {
    for (const name of readdirSync(home)) {
      const link = join(home, name, 'postgres')
      if (existsSync(link)) rmSync(realpathSync(link), { recursive: true, force: true })
    }
    rmSync(home, { recursive: true, force: true })
  })
  async function ask(directory: string, ...statements: string[]): Promise<unknown[]> {
    const server = await startPostgres(directory, silentLog, systemClock)
    const client = new pg.Client({ host: server.socketDirectory, user: 'interlock', database: 'postgres' })
    await client.connect()
    try {
      let rows: unknown[] = []
      for (const statement of statements) ({ rows } = await client.query(statement))
      return rows
    } finally {
      await client.end()
      await server.stop()
    }
  }
  async function inUse(): Promise<void> {
    await ask(dataDir, 'CREATE TABLE person (name text)', `INSERT INTO person VALUES ('Łoś')`)
    for (const folder of ['journal', 'clickhouse']) {
      mkdirSync(join(dataDir, folder))
      writeFileSync(join(dataDir, folder, 'one'), 'acknowledged')
    }
  }

  it('brings everybody back on another machine, wherever the database lay', async () => {
    await inUse()
    const target = join(home, 'backup')
    backUp(dataDir, target, now, embedded)
    rmSync(realpathSync(join(dataDir, 'postgres')), { recursive: true })
    rmSync(dataDir, { recursive: true })
    restore(target, join(home, 'again'))
    expect(await ask(join(home, 'again'), 'SELECT name FROM person')).toEqual([{ name: 'Łoś' }])
  })

  it('is never taken for a first start when only the link to the database was copied', async () => {
    await inUse()
    const copy = join(home, 'copy')
    cpSync(dataDir, copy, { recursive: true, verbatimSymlinks: true })
    rmSync(realpathSync(join(copy, 'postgres')), { recursive: true })
    await expect(ask(copy, 'SELECT 1')).rejects.toThrow(DatabaseMissing)
    rmSync(join(copy, 'postgres'), { force: true })
    await expect(ask(copy, 'SELECT 1')).rejects.toThrow('was used before')
    expect(existsSync(join(copy, 'postgres'))).toBe(false)
  })

  it('is refused as a whole when one byte of it changed, when it was not finished, and over anything that is there', async () => {
    await inUse()
    const target = join(home, 'backup')
    backUp(dataDir, target, now, embedded)
    expect(() => restore(target, dataDir)).toThrow('not empty')
    expect(() => backUp(dataDir, target, now, embedded)).toThrow('not empty')
    expect(() => backUp(dataDir, join(dataDir, 'backup'), now, embedded)).toThrow('elsewhere')
    writeFileSync(join(target, 'journal', 'one'), 'acknowledgeD')
    expect(() => restore(target, join(home, 'again'))).toThrow('Nothing was restored')
    rmSync(join(target, 'backup.json'))
    expect(() => restore(target, join(home, 'again'))).toThrow('not a backup')
    expect(existsSync(join(home, 'again'))).toBe(false)
  })

  it('leaves a first start alone, also where the key was put beforehand', () => {
    writeFileSync(join(dataDir, 'secret.key'), 'x'.repeat(48))
    chmodSync(join(dataDir, 'secret.key'), 0o600)
    expect(() => {
      refuseWhenLost(dataDir, 'postgres')
    }).not.toThrow()
  })
})
