import { parse } from 'csv-parse/sync'
import { z } from 'zod'
import {
  DatabaseProblem,
  type Batch,
  type Cell,
  type ColumnInfo,
  type Mark,
  type OtherDatabase,
  type Reading,
  type Relation,
  type SalesforceAddress,
  type Ways,
} from './database.ts'
import {
  beginSession,
  jsonOf,
  SalesforceGone,
  TooLarge,
  version,
  type Answer,
  type Session,
} from './salesforce-session.ts'

/** All objects stand in one schema, which Salesforce does not name. */
const schema = 'salesforce'
/** Between two looks at a job, in ms: short ones end soon, and one that lasts gives a sign of life in time. */
const lookFirstMs = 1_000
const lookMostMs = 10_000
/** Fields in one question of a first look: it goes in the address, which may be 16 KiB long. */
const fieldsAtOnce = 100
/** Fields put together from others (an address), whose parts are fields of their own, and bytes: Bulk API 2.0 gives neither. */
const unreadable = new Set(['address', 'location', 'base64', 'complexvalue'])
const name = /^[A-Za-z][A-Za-z0-9_]{0,127}$/
const last = 'null'

const Objects = z.object({
  sobjects: z.array(
    z.object({ name: z.string(), queryable: z.boolean(), deprecatedAndHidden: z.boolean().optional() }),
  ),
})
const Description = z.object({
  fields: z.array(z.object({ name: z.string(), type: z.string(), nillable: z.boolean() })),
})
const Rows = z.object({ records: z.array(z.record(z.string(), z.unknown())) })
const Job = z.object({ id: z.string().regex(/^[A-Za-z0-9]+$/), state: z.string(), errorMessage: z.string().nullish() })
type Job = z.infer<typeof Job>

/** A name as it is, when it is one: nothing else gets into a question. */
function named(what: string): string {
  if (!name.test(what)) throw new DatabaseProblem(`“${what.slice(0, 60)}” is no name of Salesforce.`)
  return what
}
function objectOf(from: Relation): string {
  if ('query' in from) throw new DatabaseProblem('Of Salesforce whole objects are read, by name.')
  return named(from.table.name)
}
function read<Shape>(shape: z.ZodType<Shape>, answer: Answer): Shape {
  const found = shape.safeParse(jsonOf(answer))
  if (!found.success) throw new DatabaseProblem('Salesforce answered with something that we do not understand.')
  return found.data
}

/**
 * The question of one pass in SOQL, from names alone. In no order: ORDER BY would turn off the cutting by primary key with which Salesforce
 * reads a large object in pieces. `before` is Salesforce's own time when the run began: what changes later belongs to the next run.
 */
export function questionOf(reading: Reading, before: Date): string {
  const { from, columns, key, finding, pass, since } = reading
  const selected = (pass === 'keys' ? key : columns).map((column) => named(column.name))
  const where: string[] = []
  if (finding.by === 'cursor' && pass === 'rows') {
    const cursor = named(finding.column.name)
    if (since.kind === 'cursor' && since.from !== null) where.push(`${cursor} >= ${new Date(since.from).toISOString()}`)
    where.push(`${cursor} < ${before.toISOString()}`)
  }
  return `SELECT ${selected.join(', ')} FROM ${objectOf(from)}${where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`}`
}

/**
 * Salesforce as a database: objects are tables. Rows come by query jobs of Bulk API 2.0
 * (developer.salesforce.com/docs/platform/api-asynch/guide/query-bulk-api-2-0.html).
 * @throws DatabaseProblem with a sentence
 */
export async function openSalesforce(address: SalesforceAddress, ways: Ways): Promise<OtherDatabase> {
  const session = await beginSession(address, ways)
  const describe = (object: string) => session.ask({ path: `/sobjects/${object}/describe` })

  return {
    version: `Salesforce (API ${version})`,
    async tables() {
      const { sobjects } = read(Objects, await session.ask({ path: '/sobjects' }))
      return sobjects
        .filter((one) => one.queryable && one.deprecatedAndHidden !== true && name.test(one.name))
        .map((one) => ({ schema, name: one.name, kind: 'table' as const, rows: undefined }))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .slice(0, 2000)
    },
    async columns(from) {
      const { fields } = read(Description, await describe(objectOf(from)))
      return fields
        .filter((field) => !unreadable.has(field.type))
        .map((field) => ({
          name: field.name,
          type: field.type,
          nullable: field.nillable,
          inKey: field.name === 'Id' ? 1 : undefined,
        }))
    },
    look: (from, columns, rows) => look(session, objectOf(from), columns, rows),
    async snapshot(from, finding) {
      // Salesforce's own clock, which wrote the times that are compared with it; to the second below.
      const now = new Date((await describe(objectOf(from))).headers['date'] ?? '')
      if (Number.isNaN(now.getTime())) throw new DatabaseProblem('Salesforce does not say what time it is.')
      const mark: Mark =
        finding.by === 'cursor'
          ? { kind: 'cursor', from: new Date(now.getTime() - finding.overlap * 1000).toISOString() }
          : { kind: 'everything' }
      const open = new Set<string>()
      return {
        mark,
        read: (reading) => readJob(session, ways, reading, now, open),
        // Each has an Id.
        withoutKey: () => Promise.resolve(0),
        async close(goesOn) {
          if (!goesOn) for (const id of open) await drop(session, id, open)
        },
      }
    },
    async forget([id = '']) {
      if (/^[A-Za-z0-9]+$/.test(id)) await drop(session, id, new Set())
    },
    close: () => Promise.resolve(),
  }
}

/** The first rows, by small questions: a job would take minutes. */
async function look(session: Session, object: string, columns: readonly ColumnInfo[], rows: number): Promise<Cell[][]> {
  const found = new Map<string, Map<string, Cell>>()
  for (let at = 0; at < columns.length; at += fieldsAtOnce) {
    const fields = new Set(['Id', ...columns.slice(at, at + fieldsAtOnce).map((column) => named(column.name))])
    const soql = `SELECT ${[...fields].join(', ')} FROM ${object} ORDER BY Id LIMIT ${String(Math.trunc(rows))}`
    const { records } = read(Rows, await session.ask({ path: `/query?q=${encodeURIComponent(soql)}` }))
    for (const record of records) {
      const id = String(record['Id'])
      const row = found.get(id) ?? new Map<string, Cell>()
      for (const field of fields) row.set(field, cellOf(record[field]))
      found.set(id, row)
    }
  }
  return [...found.values()].map((row) => columns.map((column) => row.get(column.name) ?? null))
}

function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/**
 * One pass by one job. The place is the job and the locator of the next page, which stay the same as long as the job is there; so a run that goes
 * on after a stop reads on in the job that it had, and when that is gone, from the beginning (what went in is compared, not said twice).
 */
async function* readJob(
  session: Session,
  { clock }: Pick<Ways, 'clock'>,
  reading: Reading,
  before: Date,
  open: Set<string>,
): AsyncGenerator<Batch> {
  // The cursor is a field of the system, which every row has.
  if (reading.pass === 'without') return
  let [, locator = ''] = reading.after ?? []
  let job = await found(reading.after?.[0])
  if (job === undefined) {
    locator = ''
    job = await begin()
  }
  const { id } = job
  open.add(id)
  // The keys are counted from the first page; for rows, what is confirmed stays.
  if (reading.pass === 'keys') locator = ''
  const at = (): string[] => [id, locator]
  yield { rows: [], after: at() }
  for (let wait = lookFirstMs; job.state !== 'JobComplete'; wait = Math.min(wait * 2, lookMostMs)) {
    const problem = stateProblem(job, session)
    if (problem !== undefined) throw problem
    await clock.sleep(wait)
    job = read(Job, await session.ask({ path: `/jobs/query/${id}` }))
    yield { rows: [], after: at() }
  }
  let most = reading.rowsAtOnce
  const been = new Set<string>()
  while (locator !== last) {
    // Else a page that is its own next would be read for ever.
    if (been.has(locator)) throw new DatabaseProblem('Salesforce names a page as the next that was read already.')
    been.add(locator)
    const page = await pageOf(locator)
    locator = page.next
    yield { rows: page.rows, after: at() }
  }
  // Asked for again only when the last page is confirmed; so the job goes when nobody needs it.
  yield { rows: [], after: at() }
  await drop(session, id, open)

  async function found(before: string | undefined): Promise<Job | undefined> {
    if (before === undefined) return undefined
    try {
      return read(Job, await session.ask({ path: `/jobs/query/${before}` }))
    } catch (error) {
      if (error instanceof SalesforceGone) return undefined
      throw error
    }
  }
  async function begin(): Promise<Job> {
    const body = { operation: reading.withDeleted ? 'queryAll' : 'query', query: questionOf(reading, before) }
    return read(Job, await session.ask({ method: 'POST', path: '/jobs/query', body }))
  }
  async function pageOf(from: string): Promise<{ rows: Cell[][]; next: string }> {
    for (;;)
      try {
        const path = `/jobs/query/${id}/results?maxRecords=${String(most)}${from === '' ? '' : `&locator=${encodeURIComponent(from)}`}`
        const answer = await session.ask({ path })
        return { rows: rowsOf(reading, answer, most), next: nextOf(answer) }
      } catch (error) {
        if (!(error instanceof TooLarge) || most === 1) throw error
        most = Math.ceil(most / 2)
      }
  }
}

/** Why a job brings nothing; undefined while it is at work. */
function stateProblem({ state, errorMessage }: Job, { hush }: Session): DatabaseProblem | undefined {
  if (state === 'UploadComplete' || state === 'InProgress') return undefined
  if (state === 'Failed')
    return new DatabaseProblem(
      `The job failed in Salesforce: ${hush(errorMessage ?? 'it does not say why').slice(0, 300)}`,
    )
  if (state === 'Aborted')
    return new DatabaseProblem('Somebody aborted the job in Salesforce. The next run makes a new one.')
  return new DatabaseProblem(`The job is in a state that we do not know: ${hush(state).slice(0, 60)}.`)
}

/** Nothing would be lost more silently than the pages behind one that does not say whether there are any. */
function nextOf({ headers }: Answer): string {
  const next = headers['sforce-locator']
  if (next === undefined || next === '') throw notAPage('it does not say what follows')
  return next
}

const notAPage = (why: string) =>
  new DatabaseProblem(`This is no page of rows as Salesforce writes them: ${why}. The next run reads it again.`)

/** @param most rows that were asked for; of more, none is taken @throws DatabaseProblem for what is no whole page: it is never taken for an empty one */
function rowsOf(reading: Reading, { headers, body }: Answer, most: number): Cell[][] {
  const columns = reading.pass === 'keys' ? reading.key : reading.columns
  const said = headers['sforce-numberofrecords']
  if (said === undefined) throw notAPage('it does not say how many rows it has')
  let records: string[][]
  try {
    records = parse(body, { bom: true, skip_empty_lines: true, to: most + 2 })
  } catch (error) {
    throw new DatabaseProblem(`A page of Salesforce cannot be read: ${String(error).slice(0, 200)}`)
  }
  const [head, ...rows] = records
  if (head === undefined && said === '0') return []
  const isHead =
    head?.length === columns.length && head.every((cell, at) => cell.toLowerCase() === columns[at]?.name.toLowerCase())
  if (!isHead) throw notAPage('it does not begin with the fields that were asked for')
  if (rows.length > most) throw notAPage(`it has more than the ${String(most)} rows that were asked for`)
  // A page that ends early would lose rows without a word.
  if (Number(said) !== rows.length || rows.some((row) => row.length !== columns.length))
    throw new DatabaseProblem('A page of Salesforce is not whole. The next run reads it again.')
  // Salesforce knows no empty text: a field without a value is empty.
  return rows.map((row) => row.map((cell) => (cell === '' ? null : cell)))
}

/** Deletes a job that nobody needs any more; one still at work has to be aborted first. What stays, Salesforce deletes after seven days. */
async function drop(session: Session, id: string, open: Set<string>): Promise<void> {
  open.delete(id)
  const path = `/jobs/query/${id}`
  try {
    await session.ask({ method: 'DELETE', path })
  } catch {
    await session.ask({ method: 'PATCH', path, body: { state: 'Aborted' } }).catch(() => undefined)
    await session.ask({ method: 'DELETE', path }).catch(() => undefined)
  }
}
