import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dice } from '../../test/make/simulated-disk.ts'
import { systemClock } from '../clock/clock.ts'
import { silentLog } from '../log/log.ts'
import { systemRandom } from '../random/random.ts'
import { checkJournal } from './checks.ts'
import { JournalDamage } from './damage.ts'
import { directoryFiles, type JournalFiles } from './files.ts'
import { segmentName } from './format.ts'
import { mendJournal } from './mend.ts'
import { openJournal, type JournalOptions } from './open-journal.ts'
import { readJournal } from './replay.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'interlock-journal-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

let made = 0
const fresh = () => join(folder, String(made++))
const needs = (files: JournalFiles) => ({ files, clock: systemClock, random: systemRandom, log: silentLog })
const at = async (path: string, options?: JournalOptions) => openJournal(needs(await directoryFiles(path)), options)
const bytes = (text: string) => Buffer.from(text)
const text = (payload: Uint8Array) => Buffer.from(payload).toString()

async function copyOf(path: string): Promise<string> {
  const copy = fresh()
  await mkdir(copy)
  for (const name of await readdir(path)) await copyFile(join(path, name), join(copy, name))
  return copy
}

/** Everything readable, and the damage if there is one. */
async function readable(path: string) {
  let records = 0
  try {
    await readJournal(await directoryFiles(path), ({ segment }) => {
      records += segment.records
    })
    return { records, damage: undefined }
  } catch (error) {
    if (error instanceof JournalDamage) return { records, damage: error }
    throw error
  }
}

describe('the journal on a real disk', () => {
  it('gives back what was appended, in order, also after it was opened again', async () => {
    const path = fresh()
    const journal = await at(path)
    expect(await journal.append([bytes('première'), bytes('вторая')])).toBe(0n)
    expect(await journal.append([bytes('o’third')])).toBe(2n)
    expect(journal.head).toBe(3n)
    await journal.close()
    const again = await at(path)
    expect(again.id).toBe(journal.id)
    expect((await again.read(1n, 10)).map((record) => text(record.payload))).toEqual(['вторая', 'o’third'])
    expect(await again.append([bytes('fourth')])).toBe(3n)
    await again.close()
  })

  it('shares one fsync among everything that arrives while the disk works, and answers none before it (C9)', async () => {
    const journal = await at(fresh())
    await Promise.all(Array.from({ length: 500 }, (_, index) => journal.append([bytes(`event ${index}`)])))
    expect(journal.state().flushes).toBeLessThan(20)
    expect(journal.head).toBe(500n)
    await journal.close()
  })

  it('hands out the same batch again, with the same token, until it is confirmed', async () => {
    const path = fresh()
    const journal = await at(path)
    await journal.append(Array.from({ length: 10 }, (_, index) => bytes(`event ${index}`)))
    const first = await journal.nextBatch({ records: 4, bytes: 1e6 }, 0)
    const second = await journal.nextBatch({ records: 100, bytes: 1e6 }, 0)
    expect([first?.to, second?.from, second?.to]).toEqual([4n, 4n, 10n])
    await journal.close()

    const again = await at(path)
    await again.append([bytes('later')])
    const firstAgain = await again.nextBatch({ records: 100, bytes: 1e6 }, 0)
    expect(firstAgain).toEqual(first)
    expect((await again.nextBatch({ records: 1, bytes: 1 }, 0))?.token).toBe(second?.token)
    await again.confirm(firstAgain!)
    expect(again.stored).toBe(4n)
    await again.close()

    const last = await at(path)
    expect((await last.nextBatch({ records: 1, bytes: 1 }, 0))?.token).toBe(second?.token)
    expect((await last.nextBatch({ records: 5, bytes: 1e6 }, 0))?.records.map((one) => text(one.payload))).toEqual([
      'later',
    ])
    expect(await last.nextBatch({ records: 5, bytes: 1e6 }, 0)).toBeUndefined()
    await last.close()
  })

  it('wakes who waits for a batch when something arrives', async () => {
    const journal = await at(fresh())
    const waiting = journal.nextBatch({ records: 5, bytes: 1e6 }, 30_000)
    await journal.append([bytes('at last')])
    expect((await waiting)?.records).toHaveLength(1)
    expect(await journal.nextBatch({ records: 5, bytes: 1e6 }, 20)).toBeUndefined()
    await journal.close()
  })

  it('refuses to confirm batches out of order', async () => {
    const journal = await at(fresh())
    await journal.append([bytes('a'), bytes('b')])
    const first = (await journal.nextBatch({ records: 1, bytes: 1e6 }, 0))!
    const second = (await journal.nextBatch({ records: 1, bytes: 1e6 }, 0))!
    await expect(journal.confirm(second)).rejects.toThrow('out of order')
    await journal.confirm(first)
    await journal.confirm(second)
    await journal.close()
  })

  it('removes segments that are wholly stored, and keeps the window that was asked for', async () => {
    for (const [keepBytes, left] of [
      [0, 1],
      [5000, 3],
    ]) {
      const path = fresh()
      const journal = await at(path, { segmentBytes: 1000, keepBytes: keepBytes ?? 0 })
      for (let index = 0; index < 20; index++) await journal.append([bytes('x'.repeat(600))])
      expect(journal.state().segments).toBe(10)
      for (;;) {
        const batch = await journal.nextBatch({ records: 3, bytes: 1e6 }, 0)
        if (batch === undefined) break
        await journal.confirm(batch)
      }
      expect(journal.state().segments).toBe(left)
      await journal.append([bytes('one more')])
      await journal.close()
      const again = await at(path)
      expect(again.head).toBe(21n)
      expect(again.stored).toBe(20n)
      await again.close()
    }
  })

  it('refuses politely when too much waits, and when the disk is nearly full', async () => {
    const narrow = await at(fresh(), { pendingBytes: 1000 })
    const waiting = narrow.append([Buffer.alloc(900)])
    await expect(narrow.append([Buffer.alloc(200)])).rejects.toMatchObject({
      code: 'busy',
      extra: { retryAfterSeconds: 1 },
    })
    await waiting
    await narrow.append([Buffer.alloc(200)])
    await narrow.close()
    const full = await at(fresh(), { minFreeBytes: 1e18 })
    await expect(full.append([bytes('no room')])).rejects.toMatchObject({
      code: 'busy',
      extra: { retryAfterSeconds: 30 },
    })
    expect(full.state().trouble).toMatch(/free/)
    await full.close()
  })

  it('reads records that are larger than its read-ahead', async () => {
    const path = fresh()
    const journal = await at(path)
    const large = Buffer.alloc(3 * 1024 * 1024, 'ø')
    await journal.append([bytes('small'), large, bytes('small again')])
    const batch = await journal.nextBatch({ records: 10, bytes: 1e9 }, 0)
    expect(batch?.records.map((record) => record.payload.length)).toEqual([5, large.length, 11])
    await journal.close()
  })
})

describe('a journal that was not closed', () => {
  it('loses only the append that was cut, at every byte of the tail', async () => {
    const path = fresh()
    const journal = await at(path)
    const ends: number[] = []
    for (let index = 0; index < 6; index++) {
      await journal.append([bytes(`event ${index} `.repeat(12)), bytes('and its companion')])
      ends.push(journal.state().bytes)
    }
    // No close: this is how a killed process leaves it.
    const name = segmentName(0)
    const whole = await readFile(join(path, name))
    expect(whole.length).toBe(ends.at(-1))
    for (let size = whole.length; size >= 40; size--) {
      const copy = await copyOf(path)
      await truncate(join(copy, name), size)
      const cut = await at(copy)
      expect(cut.head, `cut to ${size} bytes`).toBe(BigInt(2 * ends.filter((end) => end <= size).length))
      expect(await cut.append([bytes('goes on')])).toBe(cut.head - 1n)
      await cut.close()
      await rm(copy, { recursive: true })
    }
    await journal.close()
  })

  it('is refused when a record that was handed out is missing', async () => {
    const path = fresh()
    const journal = await at(path)
    await journal.append([bytes('one')])
    await journal.append([bytes('two')])
    await journal.nextBatch({ records: 10, bytes: 1e6 }, 0)
    const copy = await copyOf(path)
    const whole = await readFile(join(copy, segmentName(0)))
    await truncate(join(copy, segmentName(0)), whole.length - 1)
    await expect(at(copy)).rejects.toThrow(/segment-0{20}\.log is damaged at byte 63.*before position 1 /)
    await journal.close()
  })
})

describe('damage', () => {
  it('is detected for each of 1,000 random bit flips and truncations, and all before it is read', async () => {
    const path = fresh()
    const journal = await at(path, { segmentBytes: 8000, keepBytes: 1e9 })
    const ends: { name: string; end: number }[] = []
    for (let index = 0; index < 120; index++) {
      await journal.append([bytes(`event ${index} ${'·'.repeat(index)}`)])
      const names = (await readdir(path)).filter((name) => name.startsWith('segment')).sort()
      const name = names.at(-1)!
      ends.push({ name, end: (await readFile(join(path, name))).length })
    }
    await journal.close()
    const names = [...new Set(ends.map((one) => one.name))]
    expect(names.length).toBeGreaterThan(2)
    const random = dice(2026)
    for (let trial = 0; trial < 1000; trial++) {
      const name = names[random.below(names.length)]!
      const whole = await readFile(join(path, name))
      const offset = random.below(whole.length)
      const damaged = Buffer.from(whole)
      damaged[offset] = damaged[offset]! ^ (1 << random.below(8))
      await writeFile(join(path, name), trial % 4 === 0 ? whole.subarray(0, offset) : damaged)
      const { records, damage } = await readable(path)
      const before = ends.filter((one) => one.name < name || (one.name === name && one.end <= offset)).length
      expect(damage, `trial ${trial}: byte ${offset} of ${name}`).toBeDefined()
      expect(damage?.file).toBe(join(path, name))
      expect(damage?.offset).toBeLessThanOrEqual(offset)
      expect(records).toBe(before)
      expect(damage?.readableTo).toBe(BigInt(before))
      await writeFile(join(path, name), whole)
    }
    expect((await readable(path)).damage).toBeUndefined()
  })

  it('of the seals is detected too', async () => {
    const path = fresh()
    const journal = await at(path)
    for (let index = 0; index < 6; index++) {
      await journal.append([bytes(`event ${index}`)])
      const batch = await journal.nextBatch({ records: 1, bytes: 1e6 }, 0)
      await journal.confirm(batch!)
    }
    await journal.close()
    const whole = await readFile(join(path, 'seals.log'))
    const lastLine = whole.lastIndexOf(0x0a, whole.length - 2) + 1
    for (let offset = 0; offset < lastLine - 1; offset++) {
      const damaged = Buffer.from(whole)
      damaged[offset] = damaged[offset]! ^ 0x04
      await writeFile(join(path, 'seals.log'), damaged)
      const { damage } = await readable(path)
      expect(damage?.message, `byte ${offset} of ${JSON.stringify(whole.toString())}`).toMatch(/seals\.log is damaged/)
    }
  })

  it('is told by the doctor, with what to do, and mended without losing a whole record', async () => {
    const path = fresh()
    const journal = await at(path, { segmentBytes: 4000 })
    for (let index = 0; index < 60; index++) await journal.append([bytes(`event ${index} ${'·'.repeat(60)}`)])
    await journal.nextBatch({ records: 5, bytes: 1e6 }, 0)
    await journal.close()
    const files = await directoryFiles(path)
    expect((await checkJournal(files)).map((check) => [check.name, check.ok])).toEqual([
      ['journal folder', true],
      ['journal space', true],
      ['journal records', true],
    ])
    const second = (await readdir(path)).sort()[1]!
    const damaged = await readFile(join(path, second))
    damaged[2000] = damaged[2000]! ^ 1
    await writeFile(join(path, second), damaged)

    const told = (await checkJournal(files)).find((check) => !check.ok)
    expect(told?.finding).toContain(second)
    expect(told?.mend).toContain('interlock journal mend')

    const mended = await mendJournal(needs(files))
    expect(mended.kept + mended.rescued).toBe(59)
    expect(mended.setAside).toContain(`${second}.damaged`)
    const again = await at(path)
    expect(again.head).toBe(59n)
    const all = (await again.read(0n, 1000)).map((record) => text(record.payload).split(' ')[1])
    expect(new Set(all).size).toBe(59)
    expect((await again.nextBatch({ records: 1, bytes: 1 }, 0))?.to).toBe(5n)
    await again.close()
    expect((await checkJournal(files)).every((check) => check.ok)).toBe(true)
  })
})
