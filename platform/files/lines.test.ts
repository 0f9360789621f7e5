import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { appendedLines } from './lines.ts'

const folder = mkdtempSync(join(tmpdir(), 'il-lines-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

it('grows line by line, for its owner only, and goes on after a line that was cut off', () => {
  const path = join(folder, 'heads')
  const lines = appendedLines(path)
  expect(lines.read()).toEqual([])
  lines.append('one')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  writeFileSync(path, 'one\ntw')
  expect(lines.read()).toEqual(['one'])
  lines.append('three')
  expect(lines.read()).toEqual(['one', 'tw', 'three'])
})
