import { Autocomplete, Button, NumberInput, Select, TextInput } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Condition, Test, Where, Window } from '../contract.ts'

/** What one kind of condition is edited with. */
export interface Edits<Kind extends Condition['kind']> {
  value: Extract<Condition, { kind: Kind }>
  change: (next: Condition) => void
  /** The button that takes it out, where there is something left without it. */
  out: ReactNode
}

const tests = [
  'equal',
  'not equal',
  'contains',
  'starts with',
  'greater than',
  'less than',
  'at least',
  'at most',
  'one of',
  'set',
  'not set',
  'in the last',
  'not in the last',
] as const
const words: Record<(typeof tests)[number], string> = {
  equal: 'is',
  'not equal': 'is not',
  contains: 'contains',
  'starts with': 'starts with',
  'greater than': 'is more than',
  'less than': 'is less than',
  'at least': 'is at least',
  'at most': 'is at most',
  'one of': 'is one of',
  set: 'is known',
  'not set': 'is not known',
  'in the last': 'is in the last days',
  'not in the last': 'is not in the last days',
}

/** A question about one value. */
export function TestOf({
  value,
  change,
  samples,
}: {
  value: Test
  change: (next: Test) => void
  samples: readonly string[]
}) {
  const text =
    'value' in value
      ? String(value.value)
      : 'values' in value
        ? value.values.join(', ')
        : 'days' in value
          ? String(value.days)
          : ''
  const make = (is: (typeof tests)[number], typed: string): Test => {
    const number = Number(typed.replace(',', '.'))
    if (is === 'set' || is === 'not set') return { is }
    if (is === 'in the last' || is === 'not in the last')
      return { is, days: Number.isFinite(number) && number >= 1 ? Math.round(number) : 30 }
    if (is === 'greater than' || is === 'less than' || is === 'at least' || is === 'at most')
      return { is, value: Number.isFinite(number) ? number : 0 }
    if (is === 'one of')
      return {
        is,
        values: typed
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== '')
          .slice(0, 200),
      }
    if (is === 'contains' || is === 'starts with') return { is, value: typed }
    return {
      is,
      value:
        typed !== '' &&
        /^-?\d+(\.\d+)?$/.test(typed) &&
        samples.every((sample) => /^-?\d/.test(sample)) &&
        samples.length > 0
          ? number
          : typed === 'true'
            ? true
            : typed === 'false'
              ? false
              : typed,
    }
  }
  return (
    <>
      <Select
        aria-label="Test"
        w={150}
        allowDeselect={false}
        data={tests.map((test) => ({ value: test, label: words[test] }))}
        value={value.is}
        onChange={(is) => {
          change(make(is as 'equal', text))
        }}
      />
      {value.is === 'set' || value.is === 'not set' ? null : samples.length > 0 &&
        (value.is === 'equal' || value.is === 'not equal') ? (
        <Autocomplete
          aria-label="Value"
          w={180}
          data={[...new Set(samples)]}
          value={text}
          onChange={(typed) => {
            change(make(value.is, typed))
          }}
        />
      ) : (
        <TextInput
          aria-label="Value"
          w={180}
          value={text}
          onChange={(event) => {
            change(make(value.is, event.currentTarget.value))
          }}
        />
      )}
    </>
  )
}

/** When something happened. */
export function WindowOf({ value, change }: { value: Window; change: (next: Window) => void }) {
  return (
    <>
      <Select
        label="when"
        w={150}
        allowDeselect={false}
        data={[
          { value: 'ever', label: 'ever' },
          { value: 'last', label: 'in the last days' },
          { value: 'between', label: 'between' },
        ]}
        value={value.kind}
        onChange={(kind) => {
          const today = new Date().toISOString().slice(0, 10)
          change(
            kind === 'ever'
              ? { kind }
              : kind === 'last'
                ? { kind, days: 30 }
                : { kind: 'between', from: today, to: today },
          )
        }}
      />
      {value.kind === 'last' ? (
        <NumberInput
          label="days"
          w={80}
          min={1}
          max={3_650}
          value={value.days}
          onChange={(days) => {
            if (typeof days === 'number' && days >= 1) change({ ...value, days })
          }}
        />
      ) : null}
      {value.kind === 'between' ? (
        <>
          <TextInput
            label="from"
            type="date"
            value={value.from}
            onChange={(event) => {
              change({ ...value, from: event.currentTarget.value })
            }}
          />
          <TextInput
            label="to"
            type="date"
            value={value.to}
            onChange={(event) => {
              change({ ...value, to: event.currentTarget.value })
            }}
          />
        </>
      ) : null}
    </>
  )
}

/** Only those events whose properties pass. */
export function WhereOf({
  value,
  change,
  properties,
}: {
  value: Where
  change: (next: Where) => void
  properties: readonly string[]
}) {
  return (
    <>
      {value.map((filter, index) => (
        <div key={index} className="condition" style={{ paddingLeft: 20 }}>
          <Autocomplete
            label="where"
            w={180}
            data={[...properties]}
            value={filter.property}
            onChange={(property) => {
              change(value.map((other, at) => (at === index ? { ...other, property } : other)))
            }}
          />
          <TestOf
            value={filter.test}
            change={(test) => {
              change(value.map((other, at) => (at === index ? { ...other, test } : other)))
            }}
            samples={[]}
          />
          <Button
            size="compact-sm"
            variant="subtle"
            onClick={() => {
              change(value.filter((_other, at) => at !== index))
            }}
          >
            Take out
          </Button>
        </div>
      ))}
      <div>
        <Button
          size="compact-sm"
          variant="subtle"
          onClick={() => {
            change([...value, { property: properties[0] ?? 'category', test: { is: 'equal', value: '' } }])
          }}
        >
          Only with a property
        </Button>
      </div>
    </>
  )
}
