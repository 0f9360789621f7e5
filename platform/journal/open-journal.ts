import { Refusal } from '../../lib/refusals/refusals.ts'
import type { Clock } from '../clock/clock.ts'
import type { Log } from '../log/log.ts'
import type { Random } from '../random/random.ts'
import { JournalDamage } from './damage.ts'
import type { JournalFile, JournalFiles } from './files.ts'
import { decodeRecord, encodeRecord, largestPayload, recordBytes } from './format.ts'
import type { Journal, JournalRecord, SealedBatch } from './journal.ts'
import { createSegment, markEvery, recoverJournal, type Replayed, type Segment } from './replay.ts'
import { writeSeals, type SealsFile } from './seals.ts'
import { neededSpace } from './space.ts'

export interface JournalOptions {
  /** A new segment is begun when the present one is longer. */
  segmentBytes?: number
  /** More than this waiting for the disk, and `append` refuses. */
  pendingBytes?: number
  /** One flush takes at most this much (one append is never split). */
  flushBytes?: number
  /** Segments behind the stored cursor are kept while together they are no longer than this. */
  keepBytes?: number
  /** Refuse when less is free on the disk; by default see `neededSpace`. */
  minFreeBytes?: number
}

interface Waiting {
  records: readonly Uint8Array[]
  bytes: number
  resolve(position: bigint): void
  reject(error: unknown): void
}

/**
 * Opens (or makes) the journal in a directory: reads everything back, cuts a torn tail, refuses damage.
 *
 * Group commit is natural: the next flush starts when the last one ended, with everything that came meanwhile. A fixed
 * 5 ms timer was measured at a third of the throughput (spec/engines.md 3).
 *
 * When the disk fails, nothing of the group is acknowledged, the files are closed and the journal is read back from the
 * disk before anything more is accepted. A failed fsync is never repeated: the kernel has already forgotten which pages
 * failed, so the second one would say yes (LWN 752063, "PostgreSQL's fsync() surprise").
 *
 * @throws JournalDamage when what was once on disk does not hold any more
 */
export async function openJournal(
  needs: { files: JournalFiles; clock: Clock; random: Random; log: Log },
  options: JournalOptions = {},
): Promise<Journal> {
  const { files, clock, random, log } = needs
  const segmentBytes = options.segmentBytes ?? 32 * 1024 * 1024
  const pendingLimit = options.pendingBytes ?? 64 * 1024 * 1024
  const flushLimit = options.flushBytes ?? 4 * 1024 * 1024
  const keepBytes = options.keepBytes ?? 64 * 1024 * 1024

  let state: Replayed = await recoverJournal(files, random)
  let seals: SealsFile = await writeSeals(files, state.seals)
  let tail: { file: JournalFile; segment: Segment } | undefined
  /** Everything before this was handed out by this process (or confirmed before). */
  let handedOut = state.seals.stored
  let waiting: Waiting[] = []
  let pendingBytes = 0
  let flushes = 0
  let flushing: Promise<void> | undefined
  let closed = false
  let trouble: string | undefined
  let broken = false
  let retryAtMs = 0
  let spaceCheckedAtMs = Number.NEGATIVE_INFINITY
  let writtenSinceCheck = 0
  let grown = Promise.withResolvers<void>()
  if (state.cutBytes > 0) {
    log.warn('The journal ended in an append that was never acknowledged; it was cut.', { bytes: state.cutBytes })
  }

  const busy = (because: string, retryAfterSeconds: number) => new Refusal('busy', because, { retryAfterSeconds })

  // Two things happen beside each other: flushes, and lines of the seals file. Each is one at a time; reading the journal
  // back after a failure excludes both, and always takes the seals first.
  const sealing = oneAtATime()
  const writing = oneAtATime()
  const recovered = () => writing(async () => (broken ? recover() : undefined))

  function fail(error: unknown, doing: string): void {
    broken = true
    trouble = `The disk of the journal failed while ${doing}.`
    retryAtMs = clock.ms() + 1000
    log.error(trouble, error)
  }

  /** After a failure: let go of everything and read it back. At most once a second. */
  async function recover(): Promise<void> {
    if (clock.ms() < retryAtMs) throw busy(trouble ?? 'The journal is being read back.', 1)
    retryAtMs = clock.ms() + 1000
    try {
      const { file } = tail ?? {}
      tail = undefined
      await file?.close().catch(() => {})
      await seals.close().catch(() => {})
      const cut = state.cutBytes
      state = await recoverJournal(files, random)
      state.cutBytes += cut
      seals = await writeSeals(files, state.seals)
      broken = false
      trouble = undefined
      log.info('The journal was read back after a failure of the disk.', { head: state.head })
    } catch (error) {
      if (error instanceof JournalDamage) trouble = error.message
      fail(error, 'it was read back')
      throw busy(trouble ?? 'The journal is being read back.', 5)
    }
  }

  async function checkSpace(bytes: number): Promise<void> {
    writtenSinceCheck += bytes
    if (clock.ms() - spaceCheckedAtMs < 1000 && writtenSinceCheck < 16 * 1024 * 1024) return
    const { free, total } = await files.space()
    const needed = options.minFreeBytes ?? neededSpace(total)
    if (free < needed) {
      trouble = `The disk has ${mebibytes(free)} free; the journal stops below ${mebibytes(needed)}.`
      throw busy(trouble, 30)
    }
    trouble = undefined
    spaceCheckedAtMs = clock.ms()
    writtenSinceCheck = 0
  }

  /** Takes what waits, up to one flush. */
  function takeGroup(): Waiting[] {
    let bytes = 0
    let count = 0
    for (const next of waiting) {
      if (count > 0 && bytes + next.bytes > flushLimit) break
      bytes += next.bytes
      count++
    }
    return waiting.splice(0, count)
  }

  async function flushAll(): Promise<void> {
    while (waiting.length > 0) {
      const group = takeGroup()
      const bytes = group.reduce((sum, one) => sum + one.bytes, 0)
      try {
        if (broken) await sealing(recovered)
        const first = await writing(async () => {
          if (broken) throw busy(trouble ?? 'The journal is being read back.', 1)
          await checkSpace(bytes)
          return flush(group, bytes)
        })
        let position = first
        for (const one of group) {
          one.resolve(BigInt(position))
          position += one.records.length
        }
        grown.resolve()
        grown = Promise.withResolvers<void>()
      } catch (error) {
        const refusal =
          error instanceof Refusal ? error : busy(trouble ?? 'The journal could not be written; nothing was taken.', 2)
        for (const one of group) one.reject(refusal)
      } finally {
        pendingBytes -= bytes
      }
    }
  }

  /** One write and one fdatasync. @returns the position of the first record */
  async function flush(group: readonly Waiting[], bytes: number): Promise<number> {
    try {
      if (tail !== undefined && tail.segment.bytes > segmentBytes) {
        const { file } = tail
        tail = undefined
        await file.close()
      }
      if (tail === undefined) {
        const last = state.segments.at(-1)
        if (last !== undefined && last.bytes <= segmentBytes) {
          tail = { file: await files.open(last.name, 'existing'), segment: last }
        } else {
          tail = await createSegment(files, state.seals.journal, state.head, state.chain)
          state.segments.push(tail.segment)
        }
      }
    } catch (error) {
      fail(error, 'a segment was opened')
      throw error
    }
    const { file, segment } = tail
    const buffer = Buffer.allocUnsafe(bytes)
    const start = segment.bytes
    const marks: number[] = []
    let at = 0
    let { chain } = state
    let count = 0
    for (const { records } of group) {
      for (const [index, payload] of records.entries()) {
        if ((segment.records + count) % markEvery === 0) marks.push(start + at)
        const more = index < records.length - 1
        chain = encodeRecord(buffer, at, { payload, before: chain, flush: start, more })
        at += recordBytes + payload.length
        count++
      }
    }
    try {
      await file.write(buffer, start)
    } catch (error) {
      // Not an fsync that failed: what was written can be taken back, and the rest of the file is as certain as before.
      await file.truncate(start).catch((again: unknown) => {
        fail(again, 'a half-written group was taken back')
      })
      if (!broken) {
        trouble = isFull(error) ? 'The disk of the journal is full.' : 'The disk of the journal refused a write.'
        spaceCheckedAtMs = Number.NEGATIVE_INFINITY
        log.error(trouble, error)
      }
      throw busy(trouble ?? 'The disk refused.', 5)
    }
    try {
      await file.sync()
    } catch (error) {
      fail(error, 'a group was made durable')
      throw error
    }
    flushes++
    const first = state.head
    segment.bytes += bytes
    segment.records += count
    segment.marks.push(...marks)
    state.head += count
    state.chain = chain
    return first
  }

  function mustBeOpen(): void {
    if (closed) throw busy('The server is stopping.', 5)
  }

  /** Reads and checks records from a position on, until the limits. */
  async function readFrom(
    from: number,
    limit: { records: number; bytes: number; to: number },
  ): Promise<JournalRecord[]> {
    const records: JournalRecord[] = []
    let bytes = 0
    let position = from
    while (position < limit.to && records.length < limit.records && bytes < limit.bytes) {
      const segment = state.segments.find((one) => one.base <= position && position < one.base + one.records)
      if (segment === undefined) throw new Error(`The journal has no record ${position} any more (or yet)`)
      const file = await files.open(segment.name, 'existing')
      try {
        const mark = Math.floor((position - segment.base) / markEvery)
        let at = segment.marks[mark] ?? 0
        let skip = position - segment.base - mark * markEvery
        let chunk = Buffer.alloc(0)
        let chunkAt = at
        const end = segment.base + segment.records
        while (position < end && position < limit.to && records.length < limit.records && bytes < limit.bytes) {
          let record = decodeRecord(chunk, at - chunkAt)
          if (record === undefined) {
            // Not whole in what is at hand: read on from here, enough for the largest record if need be.
            const want = chunk.length === 0 || chunkAt !== at ? 1024 * 1024 : largestPayload + recordBytes
            chunk = Buffer.allocUnsafe(Math.min(want, segment.bytes - at))
            chunkAt = at
            chunk = chunk.subarray(0, await file.read(chunk, at))
            record = decodeRecord(chunk, 0)
            if (record === undefined && want > 1024 * 1024) {
              throw new JournalDamage(`${files.path}/${segment.name}`, at, position, 'a record does not hold any more')
            }
            if (record === undefined) continue
          }
          at += recordBytes + record.payload.length
          if (skip > 0) {
            skip--
            continue
          }
          records.push({ position: BigInt(position), payload: record.payload })
          bytes += record.payload.length
          position++
        }
      } finally {
        await file.close()
      }
    }
    return records
  }

  const tokenOf = (seal: { from: number; to: number }) => `${state.seals.journal}-${seal.from}-${seal.to}`

  async function seal(limit: { records: number; bytes: number }): Promise<SealedBatch | undefined> {
    if (broken) await recovered()
    const again = state.seals.sealed.find((one) => one.from >= handedOut)
    if (again !== undefined) {
      const records = await readFrom(again.from, { records: Infinity, bytes: Infinity, to: again.to })
      handedOut = again.to
      return { token: tokenOf(again), from: BigInt(again.from), to: BigInt(again.to), records }
    }
    if (handedOut >= state.head) return undefined
    const records = await readFrom(handedOut, { ...limit, to: state.head })
    const fresh = { from: handedOut, to: handedOut + records.length }
    const next = { ...state.seals, sealed: [...state.seals.sealed, fresh], durable: fresh.to }
    try {
      await seals.add(`sealed ${fresh.from} ${fresh.to}`, next)
    } catch (error) {
      fail(error, 'a batch was sealed')
      throw error
    }
    state.seals = next
    handedOut = fresh.to
    return { token: tokenOf(fresh), from: BigInt(fresh.from), to: BigInt(fresh.to), records }
  }

  async function removeOld(): Promise<void> {
    let kept = state.segments.reduce((sum, segment) => sum + segment.bytes, 0)
    while (state.segments.length > 1) {
      const [oldest] = state.segments
      if (oldest === undefined || oldest.base + oldest.records > state.seals.stored || kept <= keepBytes) return
      kept -= oldest.bytes
      await files.remove(oldest.name)
      state.segments.shift()
    }
  }

  return {
    get id() {
      return state.seals.journal
    },
    get head() {
      return BigInt(state.head)
    },
    get stored() {
      return BigInt(state.seals.stored)
    },
    async append(records) {
      mustBeOpen()
      if (records.length === 0) return BigInt(state.head)
      let bytes = 0
      for (const record of records) {
        if (record.length > largestPayload)
          throw new Error(`A record of ${record.length} bytes is too long for the journal`)
        bytes += record.length + recordBytes
      }
      if (pendingBytes + bytes > pendingLimit) {
        throw busy(`${mebibytes(pendingBytes)} wait for the disk already.`, 1)
      }
      pendingBytes += bytes
      const position = new Promise<bigint>((resolve, reject) => {
        waiting.push({ records, bytes, resolve, reject })
      })
      flushing ??= flushAll().finally(() => {
        flushing = undefined
      })
      return position
    },
    async nextBatch(limit, waitMs, signal) {
      mustBeOpen()
      const { promise: more } = grown
      const batch = await sealing(() => seal(limit))
      if (batch !== undefined || waitMs <= 0) return batch
      const over = new AbortController()
      const either = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal])
      await Promise.race([more, clock.sleep(waitMs, either)])
      over.abort()
      if (closed) return undefined
      return sealing(() => seal(limit))
    },
    confirm(batch) {
      return sealing(async () => {
        if (broken) await recovered()
        const to = Number(batch.to)
        if (to <= state.seals.stored) return
        if (Number(batch.from) !== state.seals.stored) {
          throw new Error(`Batch ${batch.token} was confirmed out of order: ${state.seals.stored} is next`)
        }
        const next = { ...state.seals, stored: to, sealed: state.seals.sealed.filter((one) => one.to > to) }
        try {
          await seals.add(`stored ${to}`, next)
        } catch (error) {
          fail(error, 'a batch was confirmed')
          throw error
        }
        state.seals = next
        await removeOld()
      })
    },
    read: (from, limit) => readFrom(Number(from), { records: limit, bytes: 16 * 1024 * 1024, to: state.head }),
    state: () => ({
      segments: state.segments.length,
      bytes: state.segments.reduce((sum, segment) => sum + segment.bytes, 0),
      pendingBytes,
      flushes,
      cutBytes: state.cutBytes,
      trouble,
    }),
    async close() {
      if (closed) return
      closed = true
      await flushing
      grown.resolve()
      await sealing(async () => {
        if (!broken) await seals.add(`closed ${state.head}`, { ...state.seals, durable: state.head })
        await seals.close()
        await tail?.file.close()
      })
    },
  }
}

/** Runs what it is given one after the other. */
function oneAtATime() {
  let last: Promise<unknown> = Promise.resolve()
  return <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = last.then(work, work)
    last = done.catch(() => {})
    return done
  }
}

const mebibytes = (bytes: number) => `${Math.floor(bytes / 1024 / 1024)} MiB`
const isFull = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOSPC'
