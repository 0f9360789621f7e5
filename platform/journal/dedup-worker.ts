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
  CREATE TABLE IF NOT EXISTS latest (keys BLOB NOT NULL, won BLOB NOT NULL);
`)
database.prepare('INSERT OR IGNORE INTO journal (id) VALUES (?)').run(journalId)
const numbered = database.prepare('SELECT number FROM journal WHERE id = ?')
numbered.setReadBigInts(true)
/** `won` is the number of the journal in the upper 16 bits and the position in the lower 48; 0 for an earlier journal, whichever. */
const journal = BigInt.asUintN(15, numbered.get(journalId)?.['number'] as bigint) << 48n
const lower = (1n << 48n) - 1n

const textOf = (keys: Uint8Array) => Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength).toString('latin1')

/** Keys in one statement: a call of its own for each would cost twice as much. */
const together = 64
const places = (count: number, text: string) => Array<string>(count).fill(text).join(', ')
const findMany = (count: number) => {
  const statement = database.prepare(`SELECT key, won FROM seen WHERE key IN (${places(count, '?')})`)
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  return statement
}
const addMany = (count: number) =>
  database.prepare(`INSERT OR IGNORE INTO seen (key, won) VALUES ${places(count, '(?, ?)')}`)
const find = { one: findMany(1), many: findMany(together) }
const add = { one: addMany(1), many: addMany(together) }
const append = database.prepare('INSERT INTO latest (keys, won) VALUES (?, ?)')
const marked = database.prepare('SELECT 1 FROM complete')

/**
 * What was recorded last, as text of 16 characters: on disk as it came, one row a batch, and put into its place in `seen` many at a time. Keys have no order, so
 * each touches a page of its own: a batch at a time, all pages of the table would be written again with every batch.
 */
const latest = new Map<string, bigint>()
const mostLatest = 100_000
for (const row of database.prepare('SELECT keys, won FROM latest ORDER BY rowid').all() as unknown as {
  keys: Uint8Array
  won: Uint8Array
}[])
  remember(row.keys, new BigInt64Array(new Uint8Array(row.won).buffer))

function remember(keys: Uint8Array, won: BigInt64Array): void {
  const text = textOf(keys)
  for (const [index, one] of won.entries()) {
    const key = text.slice(index * 16, index * 16 + 16)
    if (!latest.has(key)) latest.set(key, one)
  }
}

/** For each key who won it: what is in `seen` was there before what is in `latest`. */
function winners(keys: Uint8Array, count: number): (bigint | undefined)[] {
  const text = textOf(keys)
  const won = new Map<string, bigint>()
  for (let index = 0; index < count;) {
    const some = count - index >= together ? together : 1
    const asked = Array.from({ length: some }, (_, at) => keys.subarray((index + at) * 16, (index + at + 1) * 16))
    const rows = (some === 1 ? find.one : find.many).all(...asked) as unknown as [Uint8Array, bigint][]
    for (const [key, position] of rows) won.set(textOf(key), position)
    index += some
  }
  return Array.from({ length: count }, (_, index) => {
    const key = text.slice(index * 16, index * 16 + 16)
    return won.get(key) ?? latest.get(key)
  })
}

/** In the order of the keys, neighbours fall on the same page. */
function settle(): void {
  const rows = [...latest].sort(([a], [b]) => (a < b ? -1 : 1))
  transaction(() => {
    for (let at = 0; at < rows.length;) {
      const some = rows.length - at >= together ? together : 1
      const values = rows.slice(at, at + some).flatMap(([key, won]) => [Buffer.from(key, 'latin1'), won])
      ;(some === 1 ? add.one : add.many).run(...values)
      at += some
    }
    database.exec('DELETE FROM latest')
  })
  latest.clear()
}

function transaction(work: () => void): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    work()
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}

function answer(request: DedupRequest): DedupReply {
  const { id, what } = request
  const keys = request.keys ?? new Uint8Array()
  const count = keys.length / 16
  if (what === 'find') {
    const positions = BigInt64Array.from(winners(keys, count), (won) =>
      won === undefined ? -1n : (won & ~lower) === journal ? won & lower : -2n,
    )
    return { id, positions }
  }
  if (what === 'record') {
    const won = BigInt64Array.from(request.positions ?? [], (position) => (position === -2n ? 0n : journal | position))
    append.run(keys, new Uint8Array(won.buffer))
    remember(keys, won)
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
    // After the answer, and before the next question is heard.
    if (latest.size >= mostLatest) settle()
  } catch (error) {
    parentPort?.postMessage({ id: request.id, error: error instanceof Error ? error.message : String(error) }, [])
  }
})
