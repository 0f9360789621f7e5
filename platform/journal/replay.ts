import type { Random } from '../random/random.ts'
import { JournalDamage } from './damage.ts'
import type { JournalFiles } from './files.ts'
import { baseOfName, encodeHeader, headerBytes, scanSegment, segmentName, type Scanned } from './format.ts'
import { readSeals, sealsName, type Seals } from './seals.ts'

/** One segment as the open journal knows it. */
export interface Segment {
  name: string
  /** Position of its first record. */
  base: number
  records: number
  bytes: number
  /** Offsets of every `markEvery`-th record, so that a position is found without reading the whole file. */
  marks: number[]
}

/** One mark costs 8 bytes; a look-up reads at most so many records. */
export const markEvery = 128

export interface Replayed {
  seals: Seals
  segments: Segment[]
  /** Position after the last durable record. */
  head: number
  /** Checksum of the last record. */
  chain: number
  /** Bytes of an append that was never acknowledged, cut from the end. */
  cutBytes: number
}

interface SegmentOnDisk {
  segment: Segment
  scanned: Scanned
  bytes: Uint8Array
}

/**
 * Reads a journal back and checks every record of it. Changes nothing.
 * @param visit is told of each segment in order (and keeps nothing: memory is one segment)
 * @throws JournalDamage naming file and offset, after every whole record before it was visited
 */
export async function readJournal(
  files: JournalFiles,
  visit: (segment: SegmentOnDisk) => void = () => {},
): Promise<Replayed | undefined> {
  const names = await files.list()
  const bases = names
    .map(baseOfName)
    .filter((base) => base !== undefined)
    .sort((a, b) => a - b)
  if (!names.includes(sealsName)) {
    // The seals are written before the first segment: without them there was never a record, or a file is gone.
    if (bases.length === 0) return undefined
    throw new JournalDamage(`${files.path}/${sealsName}`, 0, 0, 'the file is missing, though there are segments')
  }
  const seals = readSeals(files.path, await files.read(sealsName))
  const replayed: Replayed = { seals, segments: [], head: seals.stored, chain: 0, cutBytes: 0 }
  let expected: { base: number; chain: number } | undefined
  for (const [index, base] of bases.entries()) {
    const name = segmentName(base)
    const last = index === bases.length - 1
    const bytes = await files.read(name)
    const scanned = scanSegment(bytes)
    const damage = (offset: number, what: string, readableTo: number) =>
      new JournalDamage(`${files.path}/${name}`, offset, readableTo, what)
    const readable = expected?.base ?? base
    if (scanned.header === undefined) {
      if (!last || scanned.damaged || seals.durable > base) throw damage(0, 'its header does not hold', readable)
      replayed.cutBytes += bytes.length
      break
    }
    if (scanned.header.journal !== seals.journal || scanned.header.base !== base) {
      throw damage(0, 'it belongs to another journal', readable)
    }
    if (
      expected === undefined ? base > seals.stored : base !== expected.base || scanned.header.chain !== expected.chain
    ) {
      throw damage(0, `the records from ${readable} to ${base} are missing or do not fit`, readable)
    }
    const segment: Segment = {
      name,
      base,
      records: scanned.offsets.length,
      bytes: scanned.end,
      marks: scanned.offsets.filter((_, at) => at % markEvery === 0),
    }
    visit({ segment, scanned, bytes })
    const head = base + segment.records
    if (scanned.rest > 0 && (!last || scanned.damaged || seals.durable > head)) {
      throw damage(scanned.end, 'a record that was once on disk does not hold', head)
    }
    if (scanned.rest === 0 && last && seals.durable > head) {
      throw damage(scanned.end, `the records from ${head} to ${seals.durable} are missing`, head)
    }
    replayed.cutBytes += scanned.rest
    replayed.segments.push(segment)
    replayed.head = head
    replayed.chain = scanned.chain
    expected = { base: head, chain: scanned.chain }
  }
  if (replayed.segments.length === 0 && seals.durable > seals.stored) {
    throw new JournalDamage(files.path, 0, seals.stored, 'the segments are missing')
  }
  return replayed
}

/**
 * Reads the journal back and leaves it in a state in which everything that was read is certainly on disk: after a failed
 * fsync the page cache can hold bytes that the disk does not (and a second fsync would report success), so the last
 * segment, the only one that can be in doubt, is written anew beside the old one and put in its place.
 */
export async function recoverJournal(files: JournalFiles, random: Random): Promise<Replayed> {
  for (const name of await files.list()) if (name.endsWith('.new')) await files.remove(name)
  let tail: SegmentOnDisk | undefined
  const replayed = await readJournal(files, (segment) => {
    tail = segment
  })
  if (replayed === undefined) {
    const journal = Buffer.from(random.bytes(16)).toString('hex')
    return { seals: { journal, sealed: [], stored: 0, durable: 0 }, segments: [], head: 0, chain: 0, cutBytes: 0 }
  }
  const kept = replayed.segments.at(-1)
  if (tail !== undefined && kept !== undefined) {
    const temporary = `${kept.name}.new`
    const file = await files.open(temporary, 'create')
    try {
      await file.write(tail.bytes.subarray(0, tail.scanned.end), 0)
      await file.sync()
    } finally {
      await file.close()
    }
    await files.rename(temporary, kept.name)
  }
  for (const name of await files.list()) {
    const base = baseOfName(name)
    if (base !== undefined && !replayed.segments.some((segment) => segment.base === base)) await files.remove(name)
  }
  await files.syncDirectory()
  return replayed
}

/** Makes the next segment and opens it; on disk, with its name, before the first record goes into it. */
export async function createSegment(files: JournalFiles, journal: string, base: number, chain: number) {
  const name = segmentName(base)
  const file = await files.open(name, 'create')
  await file.write(encodeHeader({ journal, base, chain }), 0)
  await file.sync()
  await files.syncDirectory()
  const segment: Segment = { name, base, records: 0, bytes: headerBytes, marks: [] }
  return { file, segment }
}
