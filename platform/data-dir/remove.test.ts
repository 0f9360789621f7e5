import { existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { removeDataDirs } from './remove.ts'

it('a data directory goes with the database that lies elsewhere, and nothing else does', async () => {
  const place = mkdtempSync(join(tmpdir(), 'il-remove-'))
  for (const name of ['elsewhere', 'kept', 'bench/data/journal']) mkdirSync(join(place, name), { recursive: true })
  writeFileSync(join(place, 'elsewhere', 'PG_VERSION'), '18')
  symlinkSync(join(place, 'elsewhere'), join(place, 'bench/data/postgres'))
  symlinkSync(join(place, 'kept'), join(place, 'bench/data/other'))
  await removeDataDirs(join(place, 'bench'))
  expect(['bench', 'elsewhere', 'kept'].map((name) => existsSync(join(place, name)))).toEqual([false, false, true])
  await removeDataDirs(place)
  await removeDataDirs(join(place, 'never was'))
})
