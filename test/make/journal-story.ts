import assert from 'node:assert/strict'
import { stoppedClock } from '../../platform/clock/clock.ts'
import type { Journal, SealedBatch } from '../../platform/journal/journal.ts'
import { openJournal } from '../../platform/journal/open-journal.ts'
import { silentLog } from '../../platform/log/log.ts'
import { seededRandom } from '../../platform/random/random.ts'
import { dice, simulatedDisk, type Faults } from './simulated-disk.ts'

/**
 * One life after another on a disk that loses what was not synced: writers append, a store takes batches (and may keep a
 * batch without saying so), the power goes at a random moment. What the store has at the end is compared with what was
 * acknowledged.
 * @throws AssertionError when something acknowledged is missing, doubled or elsewhere
 */
export async function journalStory(seed: number, faults: Faults) {
  const random = dice(seed)
  const disk = simulatedDisk(random, faults)
  const clock = stoppedClock()
  const acknowledged = new Map<string, bigint>()
  const store = new Map<string, string[]>()
  const confirmed = new Set<string>()
  let written = 0
  const journal = { current: undefined as Journal | undefined }

  async function open(): Promise<Journal> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await openJournal(
          { files: disk.boot(), clock, random: seededRandom(seed), log: silentLog },
          { segmentBytes: 600, flushBytes: 400, keepBytes: 0, minFreeBytes: 0 },
        )
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : undefined
        if ((code !== 'EIO' && code !== 'ENOSPC') || attempt > 50) throw error
      }
    }
  }

  async function writer(open: Journal): Promise<void> {
    for (let turn = random.below(12); turn >= 0; turn--) {
      const records = Array.from(
        { length: 1 + random.below(4) },
        () => `event ${written++} ${'·'.repeat(random.below(60))}`,
      )
      try {
        const first = await open.append(records.map((text) => Buffer.from(text)))
        for (const [index, text] of records.entries()) acknowledged.set(text, first + BigInt(index))
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'Refusal') throw error
        await clock.advance(1100)
      }
    }
  }

  async function takeOne(open: Journal): Promise<SealedBatch | undefined> {
    const batch = await open.nextBatch({ records: 1 + random.below(9), bytes: 1000 }, 0)
    if (batch === undefined) return undefined
    const contents = batch.records.map((record) => `${record.position} ${Buffer.from(record.payload).toString()}`)
    assert.equal(batch.records.length, Number(batch.to - batch.from), 'a batch is what its boundaries say')
    assert.ok(!confirmed.has(batch.token), 'what was confirmed does not come again')
    const before = store.get(batch.token)
    if (before !== undefined) assert.deepEqual(contents, before, 'the same token is the same batch')
    store.set(batch.token, contents)
    return batch
  }

  async function storing(open: Journal): Promise<void> {
    for (let turn = random.below(10); turn >= 0; turn--) {
      try {
        const batch = await takeOne(open)
        if (batch === undefined) continue
        for (;;) {
          try {
            await open.confirm(batch)
            break
          } catch {
            await clock.advance(1100)
          }
        }
        confirmed.add(batch.token)
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error
        await clock.advance(1100)
      }
    }
  }

  const failures: unknown[] = []
  for (let life = 0; life < 3; life++) {
    journal.current = await open()
    const opened = journal.current
    const work = [writer(opened), writer(opened), storing(opened)].map((one) =>
      one.catch((error) => failures.push(error)),
    )
    const ticks = random.below(160)
    const outage = (async () => {
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve()
      if (life < 2 && random.chance(0.7)) disk.crash()
      else if (life < 2) disk.kill()
    })()
    if (life === 2) await Promise.all([...work, outage])
    else await outage
    for (let tick = 0; tick < 8; tick++) await Promise.resolve()
    if (failures.length > 0) throw failures[0]
  }
  disk.crash()
  const last = await open()
  for (let attempt = 0; attempt < 500; attempt++) {
    try {
      const batch = await takeOne(last)
      if (batch === undefined) break
      for (;;) {
        try {
          await last.confirm(batch)
          break
        } catch {
          await clock.advance(1100)
        }
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
      await clock.advance(1100)
    }
  }
  const stored = [...store.values()].flat()
  const byText = new Map(
    stored.map((entry) => [entry.slice(entry.indexOf(' ') + 1), BigInt(entry.split(' ')[0] ?? '')]),
  )
  assert.equal(byText.size, stored.length, 'nothing is stored twice')
  for (const [text, position] of acknowledged) {
    assert.equal(byText.get(text), position, `seed ${seed}: "${text}" was acknowledged at ${position}`)
  }
  return { acknowledged: acknowledged.size, ...disk.count }
}
