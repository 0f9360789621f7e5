import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { DedupReply, DedupRequest } from './dedup-worker.ts'

/**
 * Which key was seen first at which position: exact at any age, on disk, in bounded memory. It lies beside the journal and
 * speaks of its positions; positions of an earlier journal never equal those of this one.
 *
 * SQLite (in Node) with write-ahead log and synchronous=FULL: what `record` resolved is on disk. In a thread of its own,
 * because it is synchronous and an fsync can take 100 ms.
 */
export interface DedupIndex {
  /**
   * For each key the position that won it, or undefined when nobody has it yet.
   * @param keys 16 bytes each, a character (U+0000 to U+00FF) for every byte: text costs the collector a third of an array of bytes
   */
  find(keys: readonly string[]): Promise<(bigint | undefined)[]>
  /**
   * Writes down who won. A key that is there already keeps its position.
   * @param entries `position` is undefined for one that an earlier journal won
   */
  record(entries: readonly { key: string; position: bigint | undefined }[]): Promise<void>
  /** Whether it holds everything that was ever stored: not when the file is new, was lost, or its rebuilding did not end. */
  complete(): Promise<boolean>
  /** It does now; on disk when it resolves. */
  markComplete(): Promise<void>
  close(): Promise<void>
}

/** @param journalId positions belong to this journal */
export async function openDedupIndex(path: string, journalId: string): Promise<DedupIndex> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  // SQLite gives its side files the mode of the file.
  const file = await open(path, 'a', 0o600)
  await file.chmod(0o600)
  await file.close()
  const worker = new Worker(new URL('./dedup-worker.ts', import.meta.url), { workerData: { path, journalId } })
  worker.unref()
  const waiting = new Map<number, { resolve(reply: DedupReply): void; reject(error: unknown): void }>()
  let asked = 0
  let gone: Error | undefined
  const fail = (error: Error) => {
    gone ??= error
    for (const one of waiting.values()) one.reject(error)
    waiting.clear()
  }
  worker.on('message', (reply: DedupReply) => {
    const one = waiting.get(reply.id)
    waiting.delete(reply.id)
    if (waiting.size === 0) worker.unref()
    if (reply.error === undefined) one?.resolve(reply)
    else one?.reject(new Error(`The deduplication index failed: ${reply.error}`))
  })
  worker.on('error', (error) => {
    fail(new Error('The deduplication index stopped.', { cause: error }))
  })
  worker.on('exit', () => {
    fail(new Error('The deduplication index is closed.'))
  })

  const ask = (request: Omit<DedupRequest, 'id'>): Promise<DedupReply> =>
    new Promise((resolve, reject) => {
      if (gone !== undefined) {
        reject(gone)
        return
      }
      asked++
      waiting.set(asked, { resolve, reject })
      worker.ref()
      worker.postMessage({ ...request, id: asked }, [])
    })
  const pack = (keys: readonly string[]) => Buffer.from(keys.join(''), 'latin1')

  await ask({ what: 'complete' })
  return {
    async find(keys) {
      if (keys.length === 0) return []
      const { positions } = await ask({ what: 'find', keys: pack(keys) })
      return Array.from(positions ?? [], (position) => (position === none ? undefined : position))
    },
    async record(entries) {
      if (entries.length === 0) return
      const positions = BigInt64Array.from(entries, (entry) => entry.position ?? foreign)
      await ask({ what: 'record', keys: pack(entries.map((entry) => entry.key)), positions })
    },
    async complete() {
      return (await ask({ what: 'complete' })).complete === true
    },
    async markComplete() {
      await ask({ what: 'mark' })
    },
    async close() {
      await ask({ what: 'close' })
      await worker.terminate()
    },
  }
}

/** No position. */
const none = -1n
/** A position of an earlier journal. */
const foreign = -2n
