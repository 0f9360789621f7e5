import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../platform/clock/clock.ts'
import { directoryFiles } from '../../../platform/journal/files.ts'
import { decodeRecord, scanSegment, segmentName } from '../../../platform/journal/format.ts'
import { openJournal } from '../../../platform/journal/open-journal.ts'
import { silentLog } from '../../../platform/log/log.ts'
import { systemRandom } from '../../../platform/random/random.ts'
import { dice } from '../../make/simulated-disk.ts'
import { journalStory } from '../../make/journal-story.ts'

/** Random single bits of a real segment, and every length it can be cut to in its last 4 KB. @returns what was not noticed */
export async function bitFlips(flips: number): Promise<{ says: string; broken: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-flips-'))
  try {
    const journal = await openJournal(
      { files: await directoryFiles(folder), clock: systemClock, random: systemRandom, log: silentLog },
      { minFreeBytes: 0 },
    )
    for (let append = 0; append < 60; append++)
      await journal.append(
        Array.from({ length: 1 + (append % 7) }, (_, index) =>
          Buffer.from(`event ${String(append)}.${String(index)} ${'·'.repeat(40 + append)}`),
        ),
      )
    await journal.close()
    const whole = await readFile(join(folder, segmentName(0)))
    const sound = scanSegment(whole)
    const ends = sound.offsets.map((at) => decodeRecord(whole, at)?.end ?? 0)
    const random = dice(1)
    const broken: string[] = []
    /** How many records must come back although something is wrong from `at` on: whole appends before it. */
    const check = (bytes: Buffer, at: number, what: string) => {
      const seen = scanSegment(bytes)
      const before = ends.filter((end) => end <= at).length
      const noticed = seen.header === undefined || seen.end < sound.end
      // The last whole append before it may itself be unfinished there; its records come back only together.
      const back = seen.header === undefined ? before : seen.offsets.length
      if (!noticed) broken.push(`${what}: not noticed`)
      else if (back < before - 7) broken.push(`${what}: ${String(before - back)} records before it did not come back`)
      else if (seen.offsets.length > before) broken.push(`${what}: a record was read past it`)
    }
    for (let flip = 0; flip < flips; flip++) {
      const at = random.below(sound.end)
      const bit = random.below(8)
      const bytes = Buffer.from(whole)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      check(bytes, at, `bit ${String(bit)} of byte ${String(at)}`)
    }
    const cuts = Math.min(4096, sound.end - 40)
    for (let cut = 1; cut <= cuts; cut++)
      check(whole.subarray(0, sound.end - cut), sound.end - cut, `cut ${String(cut)} bytes short`)
    return {
      says: `${String(flips)} bits flipped and ${String(cuts)} cuts in ${String(ends.length)} records: ${String(broken.length)} not noticed or costing a record before them`,
      broken,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The power goes at a random moment, again and again, on a simulated disk that loses and tears what was not synced. */
export async function powerLoss(seeds: number): Promise<{ says: string; broken: string[] }> {
  const sum = { acknowledged: 0, crashes: 0 }
  const broken: string[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      const one = await journalStory(seed, { syncFails: 0, writeFails: seed % 4 === 0 ? 0.02 : 0 })
      sum.acknowledged += one.acknowledged
      sum.crashes += one.crashes
    } catch (error) {
      broken.push(`seed ${String(seed)}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return {
    says: `${seeds.toLocaleString('en')} seeds, ${sum.crashes.toLocaleString('en')} power cuts, ${sum.acknowledged.toLocaleString('en')} records acknowledged: ${String(broken.length)} seeds in which one was lost or doubled`,
    broken,
  }
}
