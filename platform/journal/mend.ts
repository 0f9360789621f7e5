import { Refusal } from '../../lib/refusals/refusals.ts'
import type { Clock } from '../clock/clock.ts'
import type { Log } from '../log/log.ts'
import type { Random } from '../random/random.ts'
import { JournalDamage } from './damage.ts'
import type { JournalFiles } from './files.ts'
import { baseOfName, decodeRecord, headerBytes, scanSegment, segmentName, wholeRecords } from './format.ts'
import { openJournal } from './open-journal.ts'
import { readJournal } from './replay.ts'
import { readSeals, sealsName, writeSeals } from './seals.ts'

export interface Mended {
  /** Records that are kept at their place. */
  kept: number
  /** Whole records from behind the damage, appended again at the end. */
  rescued: number
  /** Bytes that no checksum vouches for. */
  lostBytes: number
  /** What the damaged files are called now. */
  setAside: string[]
}

/**
 * Makes a damaged journal usable again. Records before the damage stay where they are; whole records behind it are
 * appended again (the deduplication index drops those that were stored already); the damaged files are set aside, not
 * deleted. Only with the server stopped.
 */
export async function mendJournal(needs: {
  files: JournalFiles
  clock: Clock
  random: Random
  log: Log
}): Promise<Mended> {
  const { files, random } = needs
  const mended: Mended = { kept: 0, rescued: 0, lostBytes: 0, setAside: [] }
  try {
    const replayed = await readJournal(files)
    return { ...mended, kept: replayed === undefined ? 0 : replayed.head - (replayed.segments[0]?.base ?? 0) }
  } catch (error) {
    if (!(error instanceof JournalDamage)) throw error
  }
  const names = await files.list()
  const bases = names
    .map(baseOfName)
    .filter((base) => base !== undefined)
    .sort((a, b) => a - b)
  const aside = async (name: string) => {
    await files.rename(name, `${name}.damaged`)
    mended.setAside.push(`${name}.damaged`)
  }

  let seals = { journal: '', sealed: [] as { from: number; to: number }[], stored: bases[0] ?? 0, durable: 0 }
  try {
    seals = readSeals(files.path, await files.read(sealsName))
  } catch {
    if (names.includes(sealsName)) await aside(sealsName)
  }

  // Keep segments while they follow on each other; from the first that does not, rescue what stands for itself.
  const rescued: Uint8Array[] = []
  let expected: { base: number; chain: number } | undefined
  let broken = false
  for (const base of bases) {
    const name = segmentName(base)
    const raw = await files.read(name)
    const scanned = scanSegment(raw)
    const fits =
      !broken &&
      scanned.header !== undefined &&
      scanned.header.base === base &&
      (seals.journal === '' || scanned.header.journal === seals.journal) &&
      (expected === undefined
        ? base <= seals.stored || seals.journal === ''
        : base === expected.base && scanned.header.chain === expected.chain)
    if (fits && scanned.header !== undefined) {
      seals.journal = scanned.header.journal
      mended.kept += scanned.offsets.length
      expected = { base: base + scanned.offsets.length, chain: scanned.chain }
      if (scanned.rest === 0) continue
    }
    broken = true
    const from = fits ? scanned.end : headerBytes
    const whole = wholeRecords(raw, from)
    for (const at of whole) {
      const record = decodeRecord(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength), at)
      if (record === undefined) continue
      rescued.push(Uint8Array.from(record.payload))
      mended.lostBytes -= record.end - at
    }
    mended.lostBytes += raw.length - from
    await aside(name)
    if (fits && scanned.offsets.length > 0) {
      const file = await files.open(name, 'create')
      await file.write(raw.subarray(0, scanned.end), 0)
      await file.sync()
      await file.close()
    }
  }
  const head = expected?.base ?? seals.stored
  if (seals.journal === '') seals.journal = Buffer.from(random.bytes(16)).toString('hex')
  // A seal that reaches past what is left would name other records from now on: those are sealed anew.
  const kept = {
    ...seals,
    stored: Math.min(seals.stored, head),
    sealed: seals.sealed.filter((seal) => seal.to <= head),
    durable: 0,
  }
  await (await writeSeals(files, kept)).close()
  await files.syncDirectory()

  const journal = await openJournal(needs, { minFreeBytes: 0 })
  try {
    for (let at = 0; at < rescued.length; at += 1000) {
      const some = rescued.slice(at, at + 1000)
      await journal.append(some)
      mended.rescued += some.length
    }
  } catch (error) {
    if (error instanceof Refusal)
      throw new Error(`The rescued records could not be written: ${error.message}`, { cause: error })
    throw error
  } finally {
    await journal.close()
  }
  return mended
}
