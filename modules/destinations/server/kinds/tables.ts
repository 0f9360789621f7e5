import { parquetWriteBuffer } from 'hyparquet-writer'
import type { Json } from '../../../collect/contract.ts'
import type { Leaving } from './kind.ts'

/** Columns of every file: what the contract names, behind what every event has. */
const always = ['event_key', 'type', 'event', 'time'] as const

/** A value as a cell: text as it is, anything else as JSON; null for what is missing. */
export function cellOf(value: Json | undefined): string | null {
  if (value === undefined || value === null) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/**
 * Text that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV Injection); numbers stay numbers. Quoted as RFC 4180
 * says, lines end with CRLF.
 */
function csvCell(value: Json | undefined): string {
  const cell = cellOf(value)
  if (cell === null) return ''
  const text = typeof value !== 'number' && /^[=+\-@\t\r\n|]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n;\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export function csvOf(events: readonly Leaving[], fields: readonly string[]): Uint8Array {
  const lines = [
    [...always, ...fields].map(csvCell),
    ...events.map((event) => [
      ...[event.key, event.type, event.name, event.time].map(csvCell),
      ...fields.map((field) => csvCell(event.fields.get(field))),
    ]),
  ]
  return Buffer.from(lines.map((line) => `${line.join(',')}\r\n`).join(''), 'utf8')
}

/** Every column is text but the time, so that all files of a destination have one schema, whatever a source sends tomorrow. */
export function parquetOf(events: readonly Leaving[], fields: readonly string[]): Uint8Array {
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'event_key', data: events.map((event) => event.key), type: 'STRING', nullable: false },
        { name: 'type', data: events.map((event) => event.type), type: 'STRING', nullable: false },
        { name: 'event', data: events.map((event) => event.name), type: 'STRING', nullable: false },
        { name: 'time', data: events.map((event) => new Date(event.time)), type: 'TIMESTAMP', nullable: false },
        ...fields.map((field) => ({
          name: field,
          data: events.map((event) => cellOf(event.fields.get(field))),
          type: 'STRING' as const,
          nullable: true,
        })),
      ],
    }),
  )
}

export const formats = [
  { value: 'csv', label: 'CSV' },
  { value: 'parquet', label: 'Parquet' },
]
export const formatSetting = {
  name: 'format',
  label: 'Format',
  says: 'Parquet is smaller; CSV opens everywhere.',
  type: 'choice' as const,
  required: true,
  choices: formats,
  start: 'csv',
}

export const encode = (format: string, events: readonly Leaving[], fields: readonly string[]): Uint8Array =>
  format === 'parquet' ? parquetOf(events, fields) : csvOf(events, fields)

/**
 * The name of a file: by the hour (or day) of its first event's arrival and that event's position, so that the same delivery again has the same name
 * and replaces the file instead of doubling it.
 */
export function fileName(first: Leaving, frequency: string, format: string): string {
  const [day = '', time = ''] = new Date(first.receivedMs).toISOString().split('T')
  const period = frequency === 'daily' ? `date=${day}` : `date=${day}/hour=${time.slice(0, 2)}`
  return `${period}/${first.journalId.slice(0, 8)}-${String(first.position).padStart(12, '0')}.${format}`
}
