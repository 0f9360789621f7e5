import { hash } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDedupIndex } from './dedup-index.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'interlock-dedup-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
const key = (text: string) => hash('sha256', text, 'latin1').slice(0, 16)

describe('the deduplication index', () => {
  it('is readable by its owner only, with the files that lie beside it', async () => {
    const path = join(folder, 'own.sqlite')
    const index = await openDedupIndex(path, 'c'.repeat(32))
    await index.record([{ key: key('mine'), position: 1n }])
    for (const end of ['', '-wal', '-shm']) expect((await stat(`${path}${end}`)).mode & 0o777, end).toBe(0o600)
    await index.close()
  })

  it('remembers who was first, over restarts, and never lets a later one in', async () => {
    const path = join(folder, 'one.sqlite')
    const index = await openDedupIndex(path, 'a'.repeat(32))
    expect(await index.complete()).toBe(false)
    await index.markComplete()
    await index.record([
      { key: key('Ä'), position: 7n },
      { key: key('б'), position: 8n },
    ])
    await index.record([{ key: key('Ä'), position: 99n }])
    await index.close()
    const again = await openDedupIndex(path, 'a'.repeat(32))
    expect(await again.complete()).toBe(true)
    expect(await again.find([key('б'), key('c'), key('Ä')])).toEqual([8n, undefined, 7n])
    await again.close()
  })

  it('does not take a position of an earlier journal for one of this journal', async () => {
    const path = join(folder, 'two.sqlite')
    const index = await openDedupIndex(path, 'b'.repeat(32))
    await index.record([{ key: key('x'), position: 7n }])
    await index.close()
    const later = await openDedupIndex(path, 'c'.repeat(32))
    const [found] = await later.find([key('x')])
    expect(found).toBeDefined()
    expect(found).not.toBe(7n)
    await later.close()
  })

  it('is not complete because something is in it: only when it was said to be', async () => {
    const path = join(folder, 'half.sqlite')
    const index = await openDedupIndex(path, 'e'.repeat(32))
    await index.record([{ key: key('half'), position: undefined }])
    expect(await index.complete()).toBe(false)
    await index.close()
    const again = await openDedupIndex(path, 'e'.repeat(32))
    expect(await again.complete()).toBe(false)
    const [found] = await again.find([key('half')])
    expect(found).toBeDefined()
    await again.close()
  })

  it('knows each of 120,000 keys, those that came last and those that were put in order, also after a restart', async () => {
    const path = join(folder, 'three.sqlite')
    const keys = Array.from({ length: 120_000 }, (_, number) => key(`message ${number}`))
    const index = await openDedupIndex(path, 'd'.repeat(32))
    for (let at = 0; at < keys.length; at += 15_000)
      await index.record(keys.slice(at, at + 15_000).map((one, more) => ({ key: one, position: BigInt(at + more) })))
    const first = keys[0] ?? ''
    const last = keys.at(-1) ?? ''
    await index.record([first, last].map((one) => ({ key: one, position: 999_999n })))
    const everywhere = (found: (bigint | undefined)[]) => found.every((position, at) => position === BigInt(at))
    expect(everywhere(await index.find(keys))).toBe(true)
    expect(await index.find([last, first, last, key('another')])).toEqual([119_999n, 0n, 119_999n, undefined])
    await index.close()
    const again = await openDedupIndex(path, 'd'.repeat(32))
    expect(everywhere(await again.find(keys))).toBe(true)
    await again.close()
  })
})
