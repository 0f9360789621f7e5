import { hash } from 'node:crypto'
import { readCell } from '../../../lib/csv/cells.ts'
import type { CsvRecord } from '../../../lib/csv/records.ts'
import type { Column, Format } from '../contract.ts'

/** A row that says something. `problems` are cells that could not be read. */
export interface Row {
  kind: 'row'
  line: number
  /** A hash of whom it is about: the first identifier that is no contact point (those change), else the e-mail address, else the number. */
  key: string
  /** A hash of source, meanings and values: of everything that it says. */
  hash: string
  /** The events it stands for; those of an order with its message ids, all others without. */
  events: object[]
  /** Of an order: how many lines of the file it has. */
  lines?: number
  /** What is said beside `events` when something else was said of it before; `as` tells one such time from another. */
  again?: (as: string) => object[]
  /** To which topics it agrees, and which it takes back. */
  consents: { topic: string; given: boolean }[]
  problems: string[]
}
export type Rejected = { kind: 'rejected'; line: number; reason: string; problems: string[]; lines?: number }
/** What becomes of one row: what it says, or why it stands for nothing. */
export type RowResult = Row | Rejected

export const hashOf = (value: unknown) => hash('sha256', JSON.stringify(value))

/**
 * The events of a row with their message ids: the same row of the same generation is the same event, however often it is read. What was said before,
 * then changed, and is said again has another generation, so it is another event.
 */
export function eventsOf(row: Row, as: { nth: number; generation: number }): object[] {
  const tail = as.nth === 0 && as.generation === 0 ? '' : `-${String(as.nth)}.${String(as.generation)}`
  const messageId = `row-${row.hash.slice(0, 40)}${tail}`
  const events = row.events.map((event, at) => ({
    messageId: at === 0 ? messageId : `${messageId}-consent${at === 1 ? '' : String(at)}`,
    ...event,
  }))
  if (as.generation === 0 || row.again === undefined) return events
  return [...events, ...row.again(`${row.hash.slice(0, 16)}${tail}`)]
}

/** A row with the hashes by which it is compared with what was said before. */
export function readRow(
  record: CsvRecord,
  columns: readonly Column[],
  format: Pick<Format, 'dateOrder'>,
  sourceId: string,
  fileName = 'a file',
): RowResult {
  const said = sayRow(record, columns, format, 'import', proofOf(fileName, record.line))
  if (said.kind === 'rejected') return said
  const { about, says, ...row } = said
  return { ...row, key: hashOf([sourceId, about]).slice(0, 32), hash: hashOf([sourceId, ...says]) }
}

/**
 * Turns a record into an `identify` event, and into a consent event where the row says what a person agreed to.
 * @param way by which the row came, as the events say it
 * @param proof where it stands: kept with a consent that it gives
 * @returns with whom it is about, and everything that it says
 */
export function sayRow(
  record: CsvRecord,
  columns: readonly Column[],
  format: Pick<Format, 'dateOrder'>,
  way: 'import' | 'pull' | 'stream',
  proof: string,
): (Omit<Row, 'key' | 'hash'> & { about: { type: string; id: string } | undefined; says: unknown[] }) | Rejected {
  if (record.problem !== undefined)
    return { kind: 'rejected', line: record.line, reason: record.problem, problems: [record.problem] }
  const problems = (record.left ?? []).map(
    (name) => `${name.slice(0, 60)}: the first rows have no such column, so it is left out`,
  )
  const identifiers: { type: string; id: string }[] = []
  const traits: Record<string, unknown> = {}
  const consent: Partial<Record<'topic' | 'state' | 'at' | 'source', string>> = {}
  const states: { name: string; topic: string | undefined; state: string; channel: 'email' | 'sms' }[] = []
  for (const column of columns) {
    if (column.meaning.kind === 'ignore') continue
    const isText =
      column.meaning.kind === 'identifier' && column.meaning.type !== 'email' && column.meaning.type !== 'phone'
    const cell = readCell(asWritten(record.cells[column.index] ?? ''), isText ? 'text' : column.type, format.dateOrder)
    if (cell.problem !== undefined) problems.push(`${column.name}: ${cell.problem}`)
    if (cell.value === undefined) continue
    if (column.meaning.kind === 'identifier') {
      identifiers.push({ type: column.meaning.type, id: String(cell.value) })
      if (column.meaning.type === 'email' || column.meaning.type === 'phone') traits[column.meaning.type] = cell.value
    } else if (column.meaning.kind === 'trait') setTrait(traits, column.meaning.name, cell.value)
    else {
      const { part, topic, channel = 'email' } = column.meaning
      if (part === 'state') states.push({ name: column.name, topic, state: String(cell.value), channel })
      else consent[part] = String(cell.value)
    }
  }
  if (identifiers.length === 0)
    return {
      kind: 'rejected',
      line: record.line,
      reason: 'no identifier: the row cannot be told to belong to anyone',
      problems,
    }
  const contact = (type: string) => type === 'email' || type === 'phone'
  const about =
    identifiers.find(({ type }) => !contact(type)) ?? identifiers.find(({ type }) => type === 'email') ?? identifiers[0]
  const userId = identifiers.find((identifier) => identifier.type === 'user_id')?.id
  const context = {
    library: { name: `interlock-${way}`, version: '1' },
    externalIds: identifiers.filter((identifier) => identifier.type !== 'user_id'),
  }
  const who = userId === undefined ? {} : { userId }
  const events: object[] = [{ type: 'identify', ...who, traits, context }]
  const consents: Row['consents'] = []
  const at =
    consent.at === undefined || Number.isNaN(Date.parse(consent.at))
      ? {}
      : { timestamp: new Date(consent.at).toISOString() }
  for (const { name, topic = consent.topic, state, channel } of states) {
    const given = consentState(state)
    if (given === undefined) problems.push(`consent: “${state}” is neither given nor withdrawn`)
    // Nobody said to what: that is no consent to anything.
    else if (topic === undefined) problems.push(`${name}: it names no topic, so no consent is recorded`)
    else {
      consents.push({ topic, given })
      events.push({
        type: 'track',
        ...who,
        event: given ? 'Consent Given' : 'Consent Withdrawn',
        properties: {
          channel,
          topic,
          source: consent.source ?? way,
          proof,
          email: traits['email'] ?? null,
        },
        context,
        ...at,
      })
    }
  }
  const [first] = states
  if (states.length === 1 && first !== undefined) {
    consent.state = first.state
    if (first.topic !== undefined) consent.topic = first.topic
  }
  return {
    kind: 'row',
    line: record.line,
    about,
    says: [
      identifiers,
      traits,
      consent,
      ...(states.length > 1 ? states.map(({ topic, state }) => [topic, state]) : []),
      // Added only where it is said, so that rows that were read before compare as they did.
      ...states.flatMap(({ channel }, at) => (channel === 'email' ? [] : [[at, channel]])),
    ],
    events,
    consents,
    problems,
  }
}

/** Spreadsheets and shops mark digits that are no number (a postcode, a telephone number) with an apostrophe before them. */
const asWritten = (cell: string) => (/^'[+\d]/.test(cell) ? cell.slice(1) : cell)

/** Where a consent was read: kept with its record, and never longer than that keeps. */
export const proofOf = (from: string, line: number) => `${from.slice(0, 160)}, line ${String(line)}`

function consentState(text: string): boolean | undefined {
  const word = text.trim().toLowerCase()
  if (['given', 'granted', 'yes', 'true', '1', 'ja', 'oui', 'subscribed', 'opt-in', 'confirmed'].includes(word))
    return true
  if (['withdrawn', 'denied', 'no', 'false', '0', 'nein', 'non', 'unsubscribed', 'opt-out'].includes(word)) return false
  return undefined
}

function setTrait(traits: Record<string, unknown>, name: string, value: unknown): void {
  const dot = name.indexOf('.')
  if (dot === -1) {
    traits[name] = value
    return
  }
  const head = name.slice(0, dot)
  const tail = name.slice(dot + 1)
  const inner = traits[head]
  // The object is this row's own: it came from here.
  if (typeof inner === 'object' && inner !== null) (inner as Record<string, unknown>)[tail] = value
  else traits[head] = { [tail]: value }
}
