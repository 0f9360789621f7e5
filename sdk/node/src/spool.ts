import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { open, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { InterlockError } from './errors.ts'
import { holdSpool } from './spool-lock.ts'
import { lastWholeLine, lineOf, linesOf } from './spool-lines.ts'
import { fitting, type Batch, type Waiting } from './waiting.ts'

/**
 * Events on disk until they are acknowledged: the durable way to wait.
 *
 * A folder of segments (`00000001.events`, one event a line with its checksum), appended to and never written over, and a file `acknowledged` that says
 * up to where the server has answered. A segment that was answered whole is removed. Every process begins a segment of its own, so what a crash tore
 * is never appended to.
 */
const mostSegmentBytes = 4 * 1024 * 1024

interface Segment {
  number: number
  path: string
  /** Up to here it is on disk for certain. */
  bytes: number
  /** Of these bytes. */
  events: number
}
interface Asked {
  line: Buffer
  resolve: () => void
  reject: (error: InterlockError) => void
}

/**
 * Opens a spool, and cuts off what a crash left half written; none of that was ever acknowledged to a caller. Reads what waits once, before it
 * returns.
 * @throws InterlockError `spool_in_use`, `spool_failed`
 */
export function waitInSpool(needs: {
  folder: string
  mostBytes: number
  /** Most bytes that wait to be written. */
  mostUnwritten: number
  tell: (error: InterlockError) => void
}): Waiting {
  const { folder, mostBytes, mostUnwritten, tell } = needs
  const segmentBytes = Math.min(mostSegmentBytes, Math.floor(mostBytes / 4))
  const cursorPath = join(folder, 'acknowledged')

  mkdirOrFail(folder)
  const release = holdSpool(folder)
  let { segments, cursor } = recovered()
  let nextNumber = Math.max(cursor.segment, segments.at(-1)?.number ?? 0) + 1
  let waitingEvents = segments.reduce((sum, one) => sum + one.events, 0)
  let waitingBytes = segments.reduce((sum, one) => sum + one.bytes, 0) - cursor.bytes

  let asked: Asked[] = []
  let unwritten = 0
  let writing: Promise<void> | undefined
  let current: { handle: FileHandle; segment: Segment } | undefined
  let closed = false

  /** The segments that there are, and up to where they were answered. */
  function recovered(): { segments: Segment[]; cursor: { segment: number; bytes: number } } {
    try {
      const cursor = readCursor(cursorPath)
      const segments: Segment[] = []
      for (const name of readdirSync(folder).sort()) {
        const number = Number(/^(\d{8,})[.]events$/.exec(name)?.[1] ?? NaN)
        if (Number.isNaN(number)) continue
        const path = join(folder, name)
        const bytes = readFileSync(path)
        const whole = lastWholeLine(bytes)
        if (whole < bytes.length) {
          // A line that was begun is what a crash leaves. Whole lines that are none were something else's doing.
          if (bytes.includes('\n', whole)) tell(damaged(path, bytes.length - whole, whole))
          truncateSync(path, whole)
          syncPath(path, 'r+')
        }
        const from = number < cursor.segment ? whole : number === cursor.segment ? Math.min(cursor.bytes, whole) : 0
        if (from === whole) rmSync(path)
        else segments.push({ number, path, bytes: whole, events: linesOf(bytes.subarray(from, whole)).length })
      }
      return {
        segments,
        // What it speaks of may have been the last of its segment.
        cursor: segments[0]?.number === cursor.segment ? cursor : { segment: cursor.segment, bytes: 0 },
      }
    } catch (cause) {
      release()
      throw failed(folder, cause)
    }
  }

  async function segmentFor(bytes: number): Promise<{ handle: FileHandle; segment: Segment }> {
    if (current !== undefined && current.segment.bytes > 0 && current.segment.bytes + bytes > segmentBytes)
      await leave()
    if (current === undefined) {
      const number = nextNumber++
      const path = join(folder, `${String(number).padStart(8, '0')}.events`)
      const handle = await open(path, 'ax', 0o600)
      // The name too must be on disk before the first event counts.
      syncFolder(folder)
      current = { handle, segment: { number, path, bytes: 0, events: 0 } }
      segments.push(current.segment)
    }
    return current
  }
  /** Nothing more is appended to the present segment. */
  async function leave(): Promise<void> {
    const left = current
    current = undefined
    await left?.handle.close()
  }

  /** One write and one fdatasync for all that were asked for meanwhile, again and again while there are any. */
  async function write(): Promise<void> {
    while (asked.length > 0) {
      const group = asked.splice(0, groupOf(asked))
      const bytes = Buffer.concat(group.map((one) => one.line))
      try {
        const { handle, segment } = await segmentFor(bytes.length)
        let at = 0
        while (at < bytes.length) at += (await handle.write(bytes, at)).bytesWritten
        await handle.datasync()
        segment.bytes += bytes.length
        segment.events += group.length
        waitingEvents += group.length
        waitingBytes += bytes.length
        unwritten -= bytes.length
        for (const one of group) one.resolve()
      } catch (cause) {
        await spoiled()
        unwritten -= bytes.length
        for (const one of group) one.reject(failed(folder, cause))
      }
    }
  }
  function keepWriting(): void {
    writing ??= write().finally(() => {
      writing = undefined
      // Something may have been asked for after the last look.
      if (asked.length > 0) keepWriting()
    })
  }
  /** After a failed fsync nobody knows what is on disk: what is certain is kept, and the next event goes into another file. */
  async function spoiled(): Promise<void> {
    const broken = current
    if (broken === undefined) return
    await broken.handle.truncate(broken.segment.bytes).catch(() => undefined)
    await leave().catch(() => undefined)
    if (broken.segment.bytes > 0) return
    await remove(broken.segment).catch(() => undefined)
  }
  function groupOf(waiting: readonly Asked[]): number {
    return fitting(
      waiting.map((one) => ({ bytes: one.line.length })),
      { events: Infinity, bytes: segmentBytes },
    )
  }
  const onDisk = () => segments.reduce((sum, one) => sum + one.bytes, 0)

  async function done(segment: Segment, upTo: number, events: number): Promise<void> {
    const before = cursor.segment === segment.number ? cursor.bytes : 0
    cursor = { segment: segment.number, bytes: upTo }
    // Where lines were damaged, the end of the segment says how many there were.
    const gone = upTo === segment.bytes ? segment.events : events
    segment.events -= gone
    waitingEvents -= gone
    waitingBytes -= upTo - before
    try {
      // Without fsync: an old one only means that something is sent again, and the server stores it once.
      const draft = `${cursorPath}.new`
      await writeFile(draft, JSON.stringify(cursor), { mode: 0o600 })
      await rename(draft, cursorPath)
    } finally {
      // On a full disk this is what makes room.
      if (upTo === segment.bytes && segment !== current?.segment) await remove(segment)
    }
  }
  async function remove(segment: Segment): Promise<void> {
    segments = segments.filter((one) => one !== segment)
    await rm(segment.path, { force: true })
  }

  return {
    push(json) {
      const line = lineOf(json)
      if (onDisk() + unwritten + line.length > mostBytes)
        return refuse(
          `The spool is full: ${waitingEvents.toLocaleString('en')} events (${onDisk().toLocaleString('en')} of ${mostBytes.toLocaleString('en')} bytes) wait in ${folder}. The event was not taken.`,
        )
      if (unwritten + line.length > mostUnwritten)
        return refuse(
          `The disk of ${folder} does not keep up: ${unwritten.toLocaleString('en')} bytes wait to be written. The event was not taken.`,
        )
      unwritten += line.length
      const taken = new Promise<void>((resolve, reject) => {
        asked.push({ line, resolve, reject })
      })
      keepWriting()
      return taken
    },
    async next(most): Promise<Batch | undefined> {
      // A segment that was read whole while it was the last one is behind us now.
      for (let segment = segments[0]; segment !== undefined; segment = segments[0]) {
        const from = cursor.segment === segment.number ? cursor.bytes : 0
        if (from < segment.bytes) {
          const batch = await read(segment, from, most)
          if (batch !== undefined) return batch
        } else if (segment === current?.segment) {
          return undefined
        } else await remove(segment)
      }
      return undefined
    },
    events: () => waitingEvents,
    bytes: () => waitingBytes,
    async close() {
      if (closed) return
      closed = true
      while (writing !== undefined) await writing
      const last = current?.segment
      await leave()
      if (waitingEvents === 0) {
        if (last !== undefined) await remove(last).catch(() => undefined)
        await rm(cursorPath, { force: true }).catch(() => undefined)
      }
      release()
    },
  }

  async function read(segment: Segment, from: number, most: { events: number; bytes: number }) {
    // The largest event, and more than a batch.
    const length = Math.min(segment.bytes - from, most.bytes + 300_000)
    const bytes = Buffer.alloc(length)
    const handle = await open(segment.path, 'r')
    try {
      let at = 0
      while (at < length) {
        const { bytesRead } = await handle.read(bytes, at, length - at, from + at)
        if (bytesRead === 0) throw new Error(`${segment.path} is shorter than it was`)
        at += bytesRead
      }
    } finally {
      await handle.close()
    }
    const lines = linesOf(bytes)
    const bad = lines.findIndex((line) => line.json === undefined)
    if (lines.length === 0 || bad === 0) {
      const skipped = lines[0]?.bytes ?? length
      tell(damaged(segment.path, skipped, from))
      await done(segment, from + skipped, Math.min(lines.length, 1))
      return undefined
    }
    const good = bad < 0 ? lines : lines.slice(0, bad)
    const batch = good.slice(0, fitting(good, most))
    const upTo = from + batch.reduce((sum, line) => sum + line.bytes, 0)
    return {
      events: batch.map((line) => line.json ?? ''),
      done: () => done(segment, upTo, batch.length),
    }
  }
}

const refuse = (sentence: string) => Promise.reject(new InterlockError('queue_full', sentence))
const damaged = (path: string, bytes: number, at: number) =>
  new InterlockError(
    'spool_damaged',
    `${path} is not what was written: ${bytes.toLocaleString('en')} bytes at ${at.toLocaleString('en')} were skipped.`,
  )
const failed = (folder: string, cause: unknown) =>
  cause instanceof InterlockError
    ? cause
    : new InterlockError('spool_failed', `The spool ${folder} failed: ${String(cause)}`, { cause })

function mkdirOrFail(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (!statSync(folder).isDirectory()) throw new Error('it is no folder')
  } catch (cause) {
    throw failed(folder, cause)
  }
}

function syncPath(path: string, flags: string): void {
  const file = openSync(path, flags)
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
/** Windows cannot, and needs not. */
function syncFolder(folder: string): void {
  if (process.platform !== 'win32') syncPath(folder, 'r')
}

function readCursor(path: string): { segment: number; bytes: number } {
  const none = { segment: 0, bytes: 0 }
  try {
    const { segment, bytes } = JSON.parse(readFileSync(path, 'utf8')) as { segment: unknown; bytes: unknown }
    // Empty or torn by a loss of power: then more is sent again than needed.
    return Number.isSafeInteger(segment) && Number.isSafeInteger(bytes)
      ? { segment: Number(segment), bytes: Number(bytes) }
      : none
  } catch {
    return none
  }
}
