import { Button, Select, TextInput } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { Card } from '../../../ui/page.tsx'
import { fileKinds, type Format, type Import } from '../contract.ts'

type Asked = (typeof fileKinds)[keyof typeof fileKinds]['asks'][number]
interface FieldProps {
  format: Format
  fixed: boolean
  onChange(format: Format): void
}

/** How the file is written: only what a file of its kind can be written like. */
export function FormatCard({ format, fixed, looksLike, onChange }: FieldProps & Pick<Import, 'looksLike'>) {
  const { name, asks } = fileKinds[format.kind]
  const isText = format.kind === 'csv' || format.kind === 'fixed'
  return (
    <Card title="How it is written" aside="found out; correct it if it is wrong">
      <p className="secondary">
        It is {name}
        {format.gzip ? ', packed with gzip' : ''}
        {format.sheets.length > 1 ? `; of its ${String(format.sheets.length)} sheets, one is read` : ''}.
      </p>
      <div className="fields">
        {isText ? (
          <Select
            label="Kind"
            allowDeselect={false}
            disabled={fixed}
            data={(['csv', 'fixed'] as const).map((value) => ({ value, label: fileKinds[value].name }))}
            value={format.kind}
            onChange={(value) => {
              onChange({ ...format, kind: value as 'csv' })
            }}
          />
        ) : null}
        {asks.map((asked) => {
          const Field = fields[asked]
          return <Field key={`${asked} ${format.starts.join(',')}`} format={format} fixed={fixed} onChange={onChange} />
        })}
        {looksLike === null || looksLike.rows === 'people' ? null : (
          <Select
            label="A row is about"
            allowDeselect={false}
            disabled={fixed}
            data={[
              { value: looksLike.rows, label: 'an order' },
              { value: 'people', label: 'a person' },
            ]}
            value={format.rows}
            onChange={(value) => {
              onChange({ ...format, rows: value === 'people' ? 'people' : looksLike.rows })
            }}
          />
        )}
      </div>
    </Card>
  )
}

/** A field that is one of a few words. */
const choice =
  (
    label: string,
    data: (format: Format) => { value: string; label: string }[],
    of: (format: Format) => string,
    set: (format: Format, value: string) => Format,
  ) =>
  ({ format, fixed, onChange }: FieldProps) => (
    <Select
      label={label}
      allowDeselect={false}
      disabled={fixed}
      data={data(format)}
      value={of(format)}
      onChange={(value) => {
        onChange(set(format, value ?? ''))
      }}
    />
  )
const same = (values: readonly string[]) => values.map((value) => ({ value, label: value }))

const fields: Record<Asked, (props: FieldProps) => ReactNode> = {
  delimiter: choice(
    'Separator',
    () => [
      { value: ',', label: 'comma' },
      { value: ';', label: 'semicolon' },
      { value: '\t', label: 'tab' },
      { value: '|', label: 'bar' },
    ],
    (format) => format.delimiter,
    (format, value) => ({ ...format, delimiter: value as ',' }),
  ),
  encoding: choice(
    'Encoding',
    () => same(['utf-8', 'utf-16le', 'windows-1252', 'windows-1251', 'iso-8859-15']),
    (format) => format.encoding,
    (format, value) => ({ ...format, encoding: value as 'utf-8' }),
  ),
  hasHeader: choice(
    'First line',
    () => [
      { value: 'yes', label: 'names of columns' },
      { value: 'no', label: 'a row like the others' },
    ],
    (format) => (format.hasHeader ? 'yes' : 'no'),
    (format, value) => ({ ...format, hasHeader: value === 'yes' }),
  ),
  dateOrder: choice(
    'Dates',
    () => [
      { value: 'dmy', label: 'day first' },
      { value: 'mdy', label: 'month first' },
    ],
    (format) => format.dateOrder,
    (format, value) => ({ ...format, dateOrder: value as 'dmy' }),
  ),
  sheet: choice(
    'Sheet',
    (format) => same(format.sheets),
    (format) => format.sheet,
    (format, value) => ({ ...format, sheet: value }),
  ),
  starts: Starts,
}

/** Where the columns of fixed width begin, counted from 1 as editors count. */
function Starts({ format, fixed, onChange }: FieldProps) {
  const was = format.starts.map((start) => start + 1).join(', ')
  const [text, setText] = useState(was)
  const starts = text.split(/[\s,;]+/).filter((one) => one !== '')
  const numbers = starts.map((one) => Number(one) - 1)
  const holds =
    numbers.length > 0 &&
    numbers.every((one, at) => Number.isInteger(one) && one >= 0 && one < 100_000 && one > (numbers[at - 1] ?? -1))
  return (
    <div className="row end">
      <TextInput
        label="Columns begin at"
        title="The first character of each column, counted from 1"
        disabled={fixed}
        value={text}
        error={holds ? undefined : 'Rising whole numbers, with commas between'}
        onChange={(event) => {
          setText(event.currentTarget.value)
        }}
      />
      <Button
        variant="default"
        disabled={fixed || !holds || text === was}
        onClick={() => {
          onChange({ ...format, starts: numbers })
        }}
      >
        Cut there
      </Button>
    </div>
  )
}
