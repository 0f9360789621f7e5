import { Autocomplete, NumberInput, Select } from '@mantine/core'
import { useRoute } from '../../../ui/api.ts'
import { routes, type Condition } from '../contract.ts'
import { WhereOf, WindowOf, type Edits } from './fields.tsx'

/** Who did something so many times. */
export function Did({ value, change, out }: Edits<'event'>) {
  const { times } = value
  return (
    <WithWhere value={value} change={change}>
      <Choice
        label="who"
        of={{ 'at least': 'did at least', exactly: 'did exactly', 'at most': 'did at most', 'did not': 'did not do' }}
        value={times.is}
        change={(is) => {
          const count = times.is === 'did not' ? 1 : times.count
          change({ ...value, times: is === 'did not' ? { is } : { is, count } })
        }}
      />
      {times.is === 'did not' ? null : (
        <Count
          label="times"
          min={0}
          value={times.count}
          change={(count) => {
            change({ ...value, times: { ...times, count } })
          }}
        />
      )}
      <NameOf value={value} change={change} />
      <When value={value} change={change} />
      {out}
    </WithWhere>
  )
}

/** Whose deeds come to so much. */
export function Amount({ value, change, out }: Edits<'amount'>) {
  return (
    <WithWhere value={value} change={change}>
      <Choice
        label="whose"
        of={{ sum: 'sum of', mean: 'mean of', highest: 'highest' }}
        value={value.of}
        change={(of) => {
          change({ ...value, of })
        }}
      />
      <Autocomplete
        label="property"
        w={150}
        data={[...usePropertiesOf(value.name)]}
        value={value.property}
        onChange={(property) => {
          change({ ...value, property })
        }}
      />
      <NameOf value={value} change={change} label="of the event" />
      <Choice
        label="is"
        of={{ 'at least': 'at least', 'at most': 'at most' }}
        value={value.is}
        change={(is) => {
          change({ ...value, is })
        }}
      />
      <NumberInput
        label="amount"
        w={110}
        value={value.value}
        onChange={(amount) => {
          if (typeof amount === 'number') change({ ...value, value: amount })
        }}
      />
      <When value={value} change={change} />
      {out}
    </WithWhere>
  )
}

/** Who did one thing, and then another, or not. */
export function Sequence({ value, change, out }: Edits<'sequence'>) {
  return (
    <div className="condition">
      <EventName
        label="who did"
        value={value.first}
        change={(first) => {
          change({ ...value, first })
        }}
      />
      <When value={value} change={change} />
      <Choice
        label="and"
        of={{ 'and then': 'and then', 'but not': 'but not' }}
        value={value.did}
        change={(did) => {
          change({ ...value, did })
        }}
      />
      <EventName
        label="event"
        value={value.second}
        change={(second) => {
          change({ ...value, second })
        }}
      />
      <Days label="within days" value={value} change={change} />
      {out}
    </div>
  )
}

/** When something happened for the first time or the last. */
export function Moment({ value, change, out }: Edits<'moment'>) {
  return (
    <WithWhere value={value} change={change}>
      <Choice
        label="whose"
        of={{ first: 'first', last: 'last' }}
        value={value.which}
        change={(which) => {
          change({ ...value, which })
        }}
      />
      <NameOf value={value} change={change} />
      <Choice
        label="was"
        of={{ 'in the last': 'in the last', 'longer ago than': 'longer ago than' }}
        value={value.is}
        change={(is) => {
          change({ ...value, is })
        }}
      />
      <Days label="days" value={value} change={change} />
      {out}
    </WithWhere>
  )
}

type Change = (next: Condition) => void
type Having<Part> = Extract<Condition, Part>

function WithWhere({
  value,
  change,
  children,
}: {
  value: Having<{ where: unknown }>
  change: Change
  children: React.ReactNode
}) {
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="condition">{children}</div>
      <WhereOf
        value={value.where}
        change={(where) => {
          change({ ...value, where })
        }}
        properties={usePropertiesOf(value.name)}
      />
    </div>
  )
}

function When({ value, change }: { value: Having<{ window: unknown }>; change: Change }) {
  return (
    <WindowOf
      value={value.window}
      change={(window) => {
        change({ ...value, window })
      }}
    />
  )
}

function NameOf({
  value,
  change,
  label = 'event',
}: {
  value: Having<{ name: string }>
  change: Change
  label?: string
}) {
  return (
    <EventName
      label={label}
      value={value.name}
      change={(name) => {
        change({ ...value, name })
      }}
    />
  )
}

function Days({ label, value, change }: { label: string; value: Having<{ days: number }>; change: Change }) {
  return (
    <Count
      label={label}
      value={value.days}
      change={(days) => {
        change({ ...value, days })
      }}
    />
  )
}

function usePropertiesOf(name: string): readonly string[] {
  const events = useRoute(routes.catalogue)
  return (events.data ?? []).find((event) => event.name === name)?.properties ?? []
}

function EventName({ label, value, change }: { label: string; value: string; change: (next: string) => void }) {
  const events = useRoute(routes.catalogue)
  const names = (events.data ?? []).map((event) => event.name)
  return <Autocomplete label={label} w={200} data={names} value={value} onChange={change} />
}

/** One of a few words, each with what it is called. */
function Choice<Word extends string>({
  label,
  of,
  value,
  change,
}: {
  label: string
  of: Readonly<Record<Word, string>>
  value: Word
  change: (next: Word) => void
}) {
  return (
    <Select
      label={label}
      w={150}
      allowDeselect={false}
      data={Object.entries<string>(of).map(([word, says]) => ({ value: word, label: says }))}
      value={value}
      onChange={(word) => {
        if (word !== null) change(word as Word)
      }}
    />
  )
}

function Count({
  label,
  value,
  change,
  min = 1,
}: {
  label: string
  value: number
  change: (next: number) => void
  min?: number
}) {
  return (
    <NumberInput
      label={label}
      w={100}
      min={min}
      max={min === 0 ? 10_000 : 3_650}
      allowDecimal={false}
      value={value}
      onChange={(next) => {
        if (typeof next === 'number' && next >= min) change(next)
      }}
    />
  )
}
