import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { lockDataDir } from './lock.ts'

const folder = mkdtempSync(join(tmpdir(), 'il-lock-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

it('keeps the data directory to its owner, a new one and one that others could read; owned by root it can be walked through only', () => {
  const old = join(folder, 'old')
  mkdirSync(old)
  chmodSync(old, 0o755)
  for (const path of [old, join(folder, 'new')]) {
    const lock = lockDataDir(path)
    expect(statSync(path).mode & 0o777).toBe(process.getuid?.() === 0 ? 0o711 : 0o700)
    expect(statSync(join(path, 'owner.json')).mode & 0o777).toBe(0o600)
    lock.release()
  }
})
