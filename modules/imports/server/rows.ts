import { createHash } from 'node:crypto'
import { readCell } from '../../../lib/csv/cells.ts'
import type { CsvRecord } from '../../../lib/csv/records.ts'
import type { Column, Format } from '../contract.ts'

/** What becomes of one row: the events it stands for, or why it stands for none. `problems` are cells that could not be read. */
export type RowResult =
  | { kind: 'events'; line: number; messageId: string; events: object[]; problems: string[] }
  | { kind: 'rejected'; line: number; reason: string; problems: string[] }

/**
 * Turns a record into an `identify` event, and into a consent event where the file says what a person agreed to.
 * The message id is a hash over source, meanings and values: the same row again is the same event, a changed row another.
 */
export function readRow(record: CsvRecord, columns: readonly Column[], format: Format, sourceId: string): RowResult {
  if (record.problem !== undefined)
    return { kind: 'rejected', line: record.line, reason: record.problem, problems: [record.problem] }
  const problems: string[] = []
  const identifiers: { type: string; id: string }[] = []
  const traits: Record<string, unknown> = {}
  const consent: Partial<Record<'topic' | 'state' | 'at' | 'source', string>> = {}
  for (const column of columns) {
    if (column.meaning.kind === 'ignore') continue
    const isText =
      column.meaning.kind === 'identifier' && column.meaning.type !== 'email' && column.meaning.type !== 'phone'
    const cell = readCell(record.cells[column.index] ?? '', isText ? 'text' : column.type, format.dateOrder)
    if (cell.problem !== undefined) problems.push(`${column.name}: ${cell.problem}`)
    if (cell.value === undefined) continue
    if (column.meaning.kind === 'identifier') {
      identifiers.push({ type: column.meaning.type, id: String(cell.value) })
      if (column.meaning.type === 'email' || column.meaning.type === 'phone') traits[column.meaning.type] = cell.value
    } else if (column.meaning.kind === 'trait') setTrait(traits, column.meaning.name, cell.value)
    else consent[column.meaning.part] = String(cell.value)
  }
  if (identifiers.length === 0)
    return {
      kind: 'rejected',
      line: record.line,
      reason: 'no identifier: the row cannot be told to belong to anyone',
      problems,
    }
  const messageId = `row-${createHash('sha256')
    .update(JSON.stringify([sourceId, identifiers, traits, consent]))
    .digest('hex')
    .slice(0, 40)}`
  const userId = identifiers.find((identifier) => identifier.type === 'user_id')?.id
  const context = {
    library: { name: 'interlock-import', version: '1' },
    externalIds: identifiers.filter((identifier) => identifier.type !== 'user_id'),
  }
  const who = userId === undefined ? {} : { userId }
  const events: object[] = [{ type: 'identify', messageId, ...who, traits, context }]
  const granted = consent.state === undefined ? undefined : consentState(consent.state)
  if (consent.state !== undefined && granted === undefined)
    problems.push(`consent: “${consent.state}” is neither given nor withdrawn`)
  if (granted !== undefined) {
    const at =
      consent.at === undefined || Number.isNaN(Date.parse(consent.at))
        ? {}
        : { timestamp: new Date(consent.at).toISOString() }
    events.push({
      type: 'track',
      messageId: `${messageId}-consent`,
      ...who,
      event: granted ? 'Consent Given' : 'Consent Withdrawn',
      properties: {
        channel: 'email',
        topic: consent.topic ?? 'news',
        source: consent.source ?? 'import',
        email: traits['email'] ?? null,
      },
      context,
      ...at,
    })
  }
  return { kind: 'events', line: record.line, messageId, events, problems }
}

function consentState(text: string): boolean | undefined {
  const word = text.trim().toLowerCase()
  if (['given', 'granted', 'yes', 'true', '1', 'ja', 'oui', 'subscribed', 'opt-in', 'confirmed'].includes(word))
    return true
  if (['withdrawn', 'denied', 'no', 'false', '0', 'nein', 'non', 'unsubscribed', 'opt-out'].includes(word)) return false
  return undefined
}

function setTrait(traits: Record<string, unknown>, name: string, value: unknown): void {
  const [head, tail] = name.split('.')
  if (head === undefined) return
  if (tail === undefined) {
    traits[head] = value
    return
  }
  const inner = traits[head]
  traits[head] = { ...(typeof inner === 'object' && inner !== null ? inner : {}), [tail]: value }
}
