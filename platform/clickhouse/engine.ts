import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The embedded engine: a process of its own that holds chDB and speaks the part of the ClickHouse HTTP interface that
 * `@clickhouse/client` uses, so that embedded and server are one code path and a crash of the engine is not ours. Started by
 * child.ts with: data directory, memory cap in bytes, secret (on standard input, so that it is in no process list).
 *
 * Kept from measurement: a fixed set of sessions, each running one query at a time; settings and parameters are SET before and reset
 * after each request; a client that goes away has its query killed (`KILL QUERY … ASYNC`; SYNC hangs for ever); only formats without
 * header or footer are streamed.
 */

interface Session {
  connection: unknown
  queryAsync(sql: string, options: { format: string }): Promise<{ bytes(): Uint8Array }>
  queryStream(sql: string, options: { format: string }): AsyncIterable<{ raw(): Uint8Array }> & { cancel(): void }
  close(): void
}
const [directory = '', memory = '0'] = process.argv.slice(2)
const require_ = createRequire(import.meta.url)
const { Session: Session_, version } = require_('chdb') as {
  Session: new (path: string, options: { connectionArgs: string[] }) => Session
  version(): { libchdb?: string; chdb?: string }
}

const parallel = 4
/** A statement without a time limit of its own (a migration, a merge) may take half an hour; one with a limit is a minute late at most. */
const unlimitedMs = 30 * 60_000
const slackMs = 60_000
const killAgainMs = 200
const longestBody = 512 * 1024 * 1024
const streamable = new Set(['JSONEachRow', 'JSONCompactEachRow', 'TabSeparated', 'TSV', 'CSV', 'RowBinary', 'Native'])
/** URL parameters of the interface that are not settings. */
const notSettings = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'session_id',
  'session_timeout',
  'session_check',
  'role',
  'user',
  'password',
  'enable_http_compression',
  'wait_end_of_query',
  'client_protocol_version',
  'compress',
  'decompress',
  'buffer_size',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'cancel_http_readonly_queries_on_client_close',
])
/** What every query starts from. The threads line matters: below 4 GB the engine would silently use one thread. */
const defaults = ['max_threads_min_free_memory_per_thread = 100000000']

const literal = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
const identifier = (name: string) => {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name))
    throw new Problem(36, `BAD_ARGUMENTS: not a name: ${name.slice(0, 60)}`)
  return name
}

class Problem extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(`Code: ${String(code)}. DB::Exception: ${message}`)
    this.code = code
  }
}

function configuration(): string {
  const path = join(directory, '..', 'engine.xml')
  const cap = Number(memory)
  writeFileSync(
    path,
    `<clickhouse>
  <max_server_memory_usage>${String(cap)}</max_server_memory_usage>
  <mark_cache_size>${String(Math.floor(cap / 16))}</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <background_pool_size>2</background_pool_size>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <background_merges_mutations_concurrency_ratio>2</background_merges_mutations_concurrency_ratio>
  <merge_tree>
    <non_replicated_deduplication_window>10000</non_replicated_deduplication_window>
    <fsync_after_insert>1</fsync_after_insert>
    <fsync_part_directory>1</fsync_part_directory>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
    <max_bytes_to_merge_at_max_space_in_pool>10737418240</max_bytes_to_merge_at_max_space_in_pool>
  </merge_tree>
</clickhouse>
`,
    { mode: 0o600 },
  )
  return path
}

mkdirSync(directory, { recursive: true, mode: 0o700 })
/** Rows on their way in; of whoever was killed before, nothing is kept. */
const inbox = join(directory, '..', 'clickhouse-inbox')
rmSync(inbox, { recursive: true, force: true })
mkdirSync(inbox, { recursive: true, mode: 0o700 })
/**
 * A path as the engine is told it: `{a,b}` and `*` in one are patterns to it, which cannot be escaped, and a pattern that fits no file stores nothing and reports
 * success. `?` fits each of these letters too; what else it fits in a neighbour's folder has another name, since names are of chance.
 */
const pattern = (path: string) => path.replace(/[{}*]/g, '?')
const connectionArgs = [`--config-file=${configuration()}`]
const admin = new Session_(directory, { connectionArgs })
await admin.queryAsync('CREATE DATABASE IF NOT EXISTS interlock ENGINE = Atomic', { format: 'TSV' })
const idle: Session[] = Array.from({ length: parallel }, () => new Session_(directory, { connectionArgs }))
const waiting: ((session: Session) => void)[] = []
/** When a session must have answered at the latest, in ms since 1970. */
const due = new Map<Session, number>()

/** @param limitMs what the request was given to take */
async function withSession<Result>(limitMs: number, work: (session: Session) => Promise<Result>): Promise<Result> {
  const session = idle.pop() ?? (await new Promise<Session>((resolve) => waiting.push(resolve)))
  due.set(session, Date.now() + limitMs + slackMs)
  try {
    return await work(session)
  } finally {
    due.delete(session)
    const next = waiting.shift()
    if (next === undefined) idle.push(session)
    else next(session)
  }
}

/**
 * Whether this engine works: a query on a free session; when all are taken, one on the session that is kept for ending queries, and at least
 * one of the others is within its time. Sessions that all hang answer nobody, although this process does.
 */
async function answerPing(): Promise<void> {
  if (idle.length > 0) {
    await withSession(0, (session) => session.queryAsync('SELECT 1', { format: 'TSV' }))
    return
  }
  const now = Date.now()
  if ([...due.values()].every((at) => at < now))
    throw new Problem(159, 'TIMEOUT_EXCEEDED: every session is past the time that its query may take')
  await admin.queryAsync('SELECT 1', { format: 'TSV' })
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > longestBody)
      throw new Problem(241, 'MEMORY_LIMIT_EXCEEDED: the body is larger than 512 MiB; send less at once')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}

/** `multipart/form-data` as the client sends long parameters: name → text. */
async function readForm(body: Buffer, type: string): Promise<Map<string, string>> {
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
  const fields = new Map<string, string>()
  for (const [name, value] of form.entries()) fields.set(name, typeof value === 'string' ? value : await value.text())
  return fields
}

/** Quoted text, comments and quoted names blanked out, so that words can be looked for outside of them. */
function bare(sql: string): string {
  return sql.replace(/'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*"|--[^\n]*|\/\*[\s\S]*?\*\//g, (hit) =>
    ' '.repeat(hit.length),
  )
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://engine')
  if (url.pathname === '/ping') {
    await answerPing()
    response.end('Ok.\n')
    return
  }
  const parameters = new Map(url.searchParams)
  const body = request.method === 'POST' ? await readBody(request) : Buffer.alloc(0)
  let data = body
  let sql = parameters.get('query') ?? ''
  const type = request.headers['content-type'] ?? ''
  if (type.startsWith('multipart/form-data')) {
    for (const [name, value] of await readForm(body, type)) parameters.set(name, value)
    sql = parameters.get('query') ?? ''
    data = Buffer.alloc(0)
  } else if (sql === '') {
    sql = body.toString('utf8')
    data = Buffer.alloc(0)
  }
  sql = sql.trim().replace(/;\s*$/, '')
  const words = bare(sql)
  // `INSERT … SELECT … FROM input(…)` stores nothing here and reports success: refuse it instead.
  if (/\binput\s*\(/i.test(words))
    throw new Problem(48, 'NOT_IMPLEMENTED: input() stores nothing in the embedded engine; insert with FORMAT instead')
  const queryId = parameters.get('query_id') ?? randomBytes(16).toString('hex')
  const tag = `/*qid:${queryId.replace(/[^A-Za-z0-9-]/g, '')}*/`

  const limitMs = Number(parameters.get('max_execution_time') ?? 0) * 1_000 || unlimitedMs
  await withSession(limitMs, async (session) => {
    const reset: string[] = []
    let gone = false
    let running = false
    const onClose = () => {
      if (response.writableFinished) return
      gone = true
      void end()
    }
    /** More than once: a query that has only just been handed over is not in the engine's list yet, and would run on for nobody. */
    const end = async () => {
      while (running) {
        await admin
          .queryAsync(`KILL QUERY WHERE position(query, ${literal(tag)}) = 1 ASYNC`, { format: 'TSV' })
          .catch(() => undefined)
        await new Promise((resolve) => setTimeout(resolve, killAgainMs))
      }
    }
    response.on('close', onClose)
    try {
      if (response.destroyed) return
      await session.queryAsync(`USE ${identifier(parameters.get('database') ?? 'interlock')}`, { format: 'TSV' })
      for (const setting of defaults) await session.queryAsync(`SET ${setting}`, { format: 'TSV' })
      for (const [name, value] of parameters) {
        if (notSettings.has(name)) continue
        await session.queryAsync(
          `SET ${identifier(name)} = ${/^-?\d+(\.\d+)?$/.test(value) && !name.startsWith('param_') ? value : literal(value)}`,
          { format: 'TSV' },
        )
        if (!name.startsWith('param_')) reset.push(name)
      }
      const named = /\bFORMAT\s+([A-Za-z0-9]+)\s*$/i.exec(words)?.[1]
      const format = named ?? parameters.get('default_format') ?? 'TabSeparated'
      response.setHeader('X-ClickHouse-Query-Id', queryId)
      response.setHeader('X-ClickHouse-Format', format)
      response.setHeader('X-ClickHouse-Timezone', 'UTC')
      if (gone) return
      running = true

      if (/^\s*INSERT\b/i.test(words) && data.length > 0) {
        await store(session, tag, sql, named, data)
        response.end()
        return
      }
      const reads = /^\s*(SELECT|WITH|SHOW|DESCRIBE|EXPLAIN)\b/i.test(words)
      response.setHeader(
        'Content-Type',
        format.startsWith('JSON')
          ? 'application/json; charset=UTF-8'
          : format === 'CSV'
            ? 'text/csv; charset=UTF-8'
            : 'text/plain; charset=UTF-8',
      )
      if (reads && streamable.has(format)) await stream(session, `${tag}${sql}`, format, response, () => gone)
      else response.end(Buffer.from((await session.queryAsync(`${tag}${sql}`, { format })).bytes()))
    } finally {
      running = false
      response.off('close', onClose)
      // One statement for all: a failed reset would leak into the next query, so it ends the engine and the supervisor starts it anew.
      if (reset.length > 0)
        await session
          .queryAsync(`SET ${reset.map((name) => `${name} = DEFAULT`).join(', ')}`, { format: 'TSV' })
          .catch(() => process.exit(3))
    }
  })
}

/**
 * Rows of a body, by way of a file: as a part of the statement they would end at the first empty line, which binary formats may hold anywhere, and would
 * cost twice as much (measured: 10,400 rows of RowBinary in 60 ms against 110).
 */
async function store(session: Session, tag: string, sql: string, format: string | undefined, data: Buffer) {
  if (format === undefined) throw new Problem(62, 'SYNTAX_ERROR: an INSERT with a body ends with FORMAT and its name')
  const file = join(inbox, `${randomBytes(16).toString('hex')}.rows`)
  try {
    // The folder holds nothing for long, so somebody who tidies up may take it for left over.
    await mkdir(inbox, { recursive: true, mode: 0o700 })
      .then(() => writeFile(file, data, { mode: 0o600 }))
      .catch((error: unknown) => {
        throw new Problem(243, `NOT_ENOUGH_SPACE: the rows could not be written down: ${textOf(error)}`)
      })
    const into = sql.replace(/\s+FORMAT\s+\w+\s*$/i, '')
    await session.queryAsync(`${tag}${into} FROM INFILE ${literal(pattern(file))} FORMAT ${identifier(format)}`, {
      format: 'TSV',
    })
  } finally {
    await rm(file, { force: true })
  }
}

/** Sends chunks as they come. An error after the first chunk follows the `X-ClickHouse-Exception-Tag` protocol, so the client raises it. */
async function stream(
  session: Session,
  sql: string,
  format: string,
  response: ServerResponse,
  gone: () => boolean,
): Promise<void> {
  const tag = randomBytes(8).toString('hex')
  const chunks = session.queryStream(sql, { format })
  let begun = false
  try {
    for await (const chunk of chunks) {
      if (gone()) break
      if (!begun) {
        response.setHeader('X-ClickHouse-Exception-Tag', tag)
        begun = true
      }
      const raw = chunk.raw()
      if (raw.length > 0 && !response.write(Buffer.from(raw))) {
        await new Promise<void>((resolve) => {
          const go = () => {
            response.off('drain', go).off('close', go)
            resolve()
          }
          response.on('drain', go).on('close', go)
        })
      }
    }
    response.end()
  } catch (error) {
    if (!begun) throw error
    const message = Buffer.from(`${textOf(error)}\n`)
    response.end(
      Buffer.concat([
        Buffer.from(`\r\n__exception__\r\n${tag}\r\n`),
        message,
        Buffer.from(`${String(message.length)} ${tag}\r\n__exception__\r\n`),
      ]),
    )
  }
}

function textOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const at = message.indexOf('Code: ')
  return at >= 0 ? message.slice(at) : `Code: 1002. DB::Exception: ${message} (UNKNOWN_EXCEPTION)`
}

const secret = await new Promise<Buffer>((resolve) => {
  process.stdin.once('data', (line) => {
    resolve(Buffer.from(String(line).trim()))
  })
})

function authorised(request: IncomingMessage): boolean {
  const header = request.headers.authorization ?? ''
  const given = header.startsWith('Basic ')
    ? Buffer.from(
        Buffer.from(header.slice(6), 'base64')
          .toString('utf8')
          .replace(/^[^:]*:/, ''),
      )
    : Buffer.from(String(request.headers['x-clickhouse-key'] ?? ''))
  return given.length === secret.length && timingSafeEqual(given, secret)
}

const server = createServer({ maxHeaderSize: 1_048_576, requestTimeout: 0 }, (request, response) => {
  if (!authorised(request)) {
    response
      .writeHead(403, { 'X-ClickHouse-Exception-Code': '516' })
      .end('Code: 516. DB::Exception: the secret is wrong (AUTHENTICATION_FAILED)\n')
    request.resume()
    return
  }
  answer(request, response).catch((error: unknown) => {
    if (response.headersSent || response.destroyed) {
      response.destroy()
      return
    }
    const text = textOf(error)
    const code = /^Code: (\d+)/.exec(text)?.[1] ?? '1002'
    response
      .writeHead(code === '159' ? 408 : code === '60' || code === '81' ? 404 : 500, {
        'X-ClickHouse-Exception-Code': code,
        'Content-Type': 'text/plain; charset=UTF-8',
      })
      .end(`${text}\n`)
  })
})
server.keepAliveTimeout = 30_000

function end(): void {
  server.close()
  server.closeAllConnections()
  for (const session of idle) session.close()
  admin.close()
  process.exit(0)
}
// The end of our owner is the end of us: the channel closes when it exits or is killed.
process.on('disconnect', () => process.exit(0))
process.on('SIGTERM', end)
process.on('SIGINT', () => undefined)
process.on('message', (message) => {
  if (message === 'stop') end()
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0, version: version() })
})
