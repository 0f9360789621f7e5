import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

/** The thread of dedup-index.ts. */
export interface DedupRequest {
  id: number
  what: 'find' | 'record' | 'complete' | 'mark' | 'close'
  /** 16 bytes each. */
  keys?: Uint8Array
  /** -2 for one that an earlier journal won. */
  positions?: BigInt64Array
}
export interface DedupReply {
  id: number
  error?: string
  /** -1 for a key that is not there, -2 for one that an earlier journal won. */
  positions?: BigInt64Array
  complete?: boolean
}

const { path, journalId } = workerData as { path: string; journalId: string }
const database = new DatabaseSync(path)
// 64 MiB of cache is the bound on memory, however many keys there are.
database.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA cache_size = -65536;
  PRAGMA wal_autocheckpoint = 4000;
  CREATE TABLE IF NOT EXISTS journal (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS complete (one INTEGER PRIMARY KEY);
  CREATE TABLE IF NOT EXISTS seen (key BLOB PRIMARY KEY, won INTEGER NOT NULL) WITHOUT ROWID;
`)
database.prepare('INSERT OR IGNORE INTO journal (id) VALUES (?)').run(journalId)
const numbered = database.prepare('SELECT number FROM journal WHERE id = ?')
numbered.setReadBigInts(true)
/** `won` is the number of the journal in the upper 16 bits and the position in the lower 48; 0 for an earlier journal, whichever. */
const journal = BigInt.asUintN(15, numbered.get(journalId)?.['number'] as bigint) << 48n
const lower = (1n << 48n) - 1n

const find = database.prepare('SELECT won FROM seen WHERE key = ?')
find.setReadBigInts(true)
const add = database.prepare('INSERT OR IGNORE INTO seen (key, won) VALUES (?, ?)')
const marked = database.prepare('SELECT 1 FROM complete')

function answer(request: DedupRequest): DedupReply {
  const { id, what } = request
  const keys = request.keys ?? new Uint8Array()
  const count = keys.length / 16
  if (what === 'find') {
    const positions = new BigInt64Array(count)
    for (let index = 0; index < count; index++) {
      const row = find.get(keys.subarray(index * 16, index * 16 + 16))
      const won = row?.['won'] as bigint | undefined
      positions[index] = won === undefined ? -1n : (won & ~lower) === journal ? won & lower : -2n
    }
    return { id, positions }
  }
  if (what === 'record') {
    // In the order of the keys, neighbours fall on the same page.
    const order = Array.from({ length: count }, (_, index) => index)
    const buffer = Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength)
    order.sort((a, b) => buffer.compare(buffer, b * 16, b * 16 + 16, a * 16, a * 16 + 16))
    database.exec('BEGIN IMMEDIATE')
    try {
      for (const index of order) {
        const position = request.positions?.[index] ?? 0n
        add.run(keys.subarray(index * 16, index * 16 + 16), position === -2n ? 0n : journal | position)
      }
      database.exec('COMMIT')
    } catch (error) {
      database.exec('ROLLBACK')
      throw error
    }
    return { id }
  }
  if (what === 'close') {
    database.close()
    return { id }
  }
  if (what === 'mark') database.exec('INSERT OR IGNORE INTO complete VALUES (1)')
  return { id, complete: marked.get() !== undefined }
}

parentPort?.on('message', (request: DedupRequest) => {
  try {
    parentPort?.postMessage(answer(request), [])
  } catch (error) {
    parentPort?.postMessage({ id: request.id, error: error instanceof Error ? error.message : String(error) }, [])
  }
})
