import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { InterlockError } from './errors.ts'
import { waitInSpool } from './spool.ts'

const mebi = 1024 * 1024
let folder = ''
let told: InterlockError[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'interlock-spool-'))
  told = []
  const mine = folder
  afterAll(() => rm(mine, { recursive: true, force: true }))
})
const opened = (mostBytes = 2 * mebi, mostUnwritten = mebi) =>
  waitInSpool({ folder, mostBytes, mostUnwritten, tell: (error) => told.push(error) })
const most = { events: 3, bytes: 100_000 }
const segments = async () => (await readdir(folder)).filter((name) => name.endsWith('.events')).sort()
const json = (n: number, size = 1) => JSON.stringify({ n, x: 'å'.repeat(size) })
const numbers = (events: readonly string[] = []) => events.map((text) => (JSON.parse(text) as { n: number }).n)
/** Everything that waits, in order, acknowledged batch by batch. */
async function emptied(spool: ReturnType<typeof opened>): Promise<number[]> {
  const found: number[] = []
  for (let batch = await spool.next(most); batch !== undefined; batch = await spool.next(most)) {
    found.push(...numbers(batch.events))
    await batch.done()
  }
  return found
}

describe('a spool', () => {
  it('has on disk what it took, and gives it in order, the same until it is done', async () => {
    const spool = opened()
    await Promise.all([1, 2, 3, 4].map((n) => spool.push(json(n))))
    expect((await readFile(join(folder, '00000001.events'), 'utf8')).split('\n')).toHaveLength(5)
    const first = await spool.next(most)
    expect(numbers(first?.events)).toEqual([1, 2, 3])
    expect(numbers((await spool.next(most))?.events)).toEqual([1, 2, 3])
    await first?.done()
    expect(spool.events()).toBe(1)
    expect(await emptied(spool)).toEqual([4])
    expect([spool.events(), spool.bytes()]).toEqual([0, 0])
    await spool.close()
    expect(await readdir(folder)).toEqual(['lock'])
  })

  it('gives the next process what was not acknowledged, and only that', async () => {
    const first = opened()
    await Promise.all([1, 2, 3, 4, 5].map((n) => first.push(json(n))))
    await (await first.next({ events: 2, bytes: 100_000 }))?.done()
    await first.close()
    const second = opened()
    expect(second.events()).toBe(3)
    await second.push(json(6))
    expect(await emptied(second)).toEqual([3, 4, 5, 6])
    await second.close()
  })

  it('cuts what a crash tore, and what follows is whole', async () => {
    const first = opened()
    await first.push(json(1))
    await first.push(json(2))
    await first.close()
    const path = join(folder, '00000001.events')
    const whole = (await stat(path)).size
    await appendFile(path, '0badc0de {"n":3,"x":')
    const second = opened()
    expect((await stat(path)).size).toBe(whole)
    await second.push(json(4))
    expect(await emptied(second)).toEqual([1, 2, 4])
    expect(told).toEqual([])
    await second.close()
  })

  it('skips what something changed on disk, says so, and gives the rest', async () => {
    const first = opened()
    for (const n of [1, 2, 3]) await first.push(json(n))
    await first.close()
    const path = join(folder, '00000001.events')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('"n":2', '"n":9'))
    const second = opened()
    expect(await emptied(second)).toEqual([1, 3])
    expect(told.map((error) => error.code)).toEqual(['spool_damaged'])
    expect(second.events()).toBe(0)
    await second.close()
  })

  it('sends all again when nobody knows what was acknowledged', async () => {
    const first = opened()
    for (const n of [1, 2]) await first.push(json(n))
    await (await first.next({ events: 1, bytes: 1 }))?.done()
    await first.close()
    await writeFile(join(folder, 'acknowledged'), '')
    const second = opened()
    expect(await emptied(second)).toEqual([1, 2])
    await second.close()
  })

  it('says when it is full, takes again when there is room, and removes what was sent', async () => {
    const spool = opened()
    let taken = 0
    let refused: unknown
    while (refused === undefined)
      await spool.push(json(taken + 1, 20_000)).then(
        () => taken++,
        (error: unknown) => (refused = error),
      )
    expect(refused).toMatchObject({
      code: 'queue_full',
      message: expect.stringContaining('The spool is full') as string,
    })
    const held = await segments()
    expect(held.length).toBeGreaterThan(3)
    const sizes = await Promise.all(held.map(async (name) => (await stat(join(folder, name))).size))
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(2 * mebi)
    expect(await emptied(spool)).toEqual(Array.from({ length: taken }, (_none, at) => at + 1))
    expect(await segments()).toEqual(held.slice(-1))
    await spool.push(json(0, 20_000))
    expect(await emptied(spool)).toEqual([0])
    await spool.close()
  })

  it('says when the disk does not keep up', async () => {
    const spool = opened(8 * mebi, mebi)
    const taken = await Promise.allSettled(Array.from({ length: 60 }, (_none, n) => spool.push(json(n, 10_000))))
    const errors = taken.flatMap((one) => (one.status === 'rejected' ? [one.reason as InterlockError] : []))
    expect(errors.length).toBeGreaterThan(0)
    expect(errors[0]?.message).toContain('does not keep up')
    expect(spool.events()).toBe(60 - errors.length)
    await spool.close()
  })

  it('writes many that come together at once', async () => {
    const spool = opened()
    await Promise.all(Array.from({ length: 2_000 }, (_none, n) => spool.push(json(n))))
    expect((await emptied(spool)).length).toBe(2_000)
    await spool.close()
  })

  it('is one client’s at a time, and free when that ended', async () => {
    const first = opened()
    expect(() => opened()).toThrow(expect.objectContaining({ code: 'spool_in_use' }))
    await first.close()
    await opened().close()
  })

  it('that is no folder is refused with the reason', async () => {
    folder = join(folder, 'file')
    await writeFile(folder, '')
    expect(() => opened()).toThrow(expect.objectContaining({ code: 'spool_failed' }))
  })
})
