import { Autocomplete, NumberInput, Select } from '@mantine/core'
import { useRoute } from '../../../ui/api.ts'
import { routes } from '../contract.ts'
import { WhereOf, WindowOf, type Edits } from './fields.tsx'

/** Who did something so many times. */
export function Did({ value, change, out }: Edits<'event'>) {
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="condition">
        <Select
          label="who"
          w={150}
          allowDeselect={false}
          data={[
            { value: 'at least', label: 'did at least' },
            { value: 'exactly', label: 'did exactly' },
            { value: 'at most', label: 'did at most' },
            { value: 'did not', label: 'did not do' },
          ]}
          value={value.times.is}
          onChange={(is) => {
            change({
              ...value,
              times:
                is === 'did not'
                  ? { is: 'did not' }
                  : { is: is as 'at least', count: value.times.is === 'did not' ? 1 : value.times.count },
            })
          }}
        />
        {value.times.is === 'did not' ? null : (
          <Count
            label="times"
            min={0}
            value={value.times.count}
            change={(count) => {
              if (value.times.is !== 'did not') change({ ...value, times: { ...value.times, count } })
            }}
          />
        )}
        <EventName
          label="event"
          value={value.name}
          change={(name) => {
            change({ ...value, name })
          }}
        />
        <WindowOf
          value={value.window}
          change={(window) => {
            change({ ...value, window })
          }}
        />
        {out}
      </div>
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

/** Whose deeds come to so much. */
export function Amount({ value, change, out }: Edits<'amount'>) {
  const properties = usePropertiesOf(value.name)
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="condition">
        <Select
          label="whose"
          w={140}
          allowDeselect={false}
          data={[
            { value: 'sum', label: 'sum of' },
            { value: 'mean', label: 'mean of' },
            { value: 'highest', label: 'highest' },
          ]}
          value={value.of}
          onChange={(of) => {
            change({ ...value, of: of as 'sum' })
          }}
        />
        <Autocomplete
          label="property"
          w={150}
          data={[...properties]}
          value={value.property}
          onChange={(property) => {
            change({ ...value, property })
          }}
        />
        <EventName
          label="of the event"
          value={value.name}
          change={(name) => {
            change({ ...value, name })
          }}
        />
        <Select
          label="is"
          w={110}
          allowDeselect={false}
          data={['at least', 'at most']}
          value={value.is}
          onChange={(is) => {
            change({ ...value, is: is as 'at least' })
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
        <WindowOf
          value={value.window}
          change={(window) => {
            change({ ...value, window })
          }}
        />
        {out}
      </div>
      <WhereOf
        value={value.where}
        change={(where) => {
          change({ ...value, where })
        }}
        properties={properties}
      />
    </div>
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
      <WindowOf
        value={value.window}
        change={(window) => {
          change({ ...value, window })
        }}
      />
      <Select
        label="and"
        w={120}
        allowDeselect={false}
        data={['and then', 'but not']}
        value={value.did}
        onChange={(did) => {
          change({ ...value, did: did as 'and then' })
        }}
      />
      <EventName
        label="event"
        value={value.second}
        change={(second) => {
          change({ ...value, second })
        }}
      />
      <Count
        label="within days"
        value={value.days}
        change={(days) => {
          change({ ...value, days })
        }}
      />
      {out}
    </div>
  )
}

/** When something happened for the first time or the last. */
export function Moment({ value, change, out }: Edits<'moment'>) {
  return (
    <div className="stack" style={{ gap: 8 }}>
      <div className="condition">
        <Select
          label="whose"
          w={110}
          allowDeselect={false}
          data={['first', 'last']}
          value={value.which}
          onChange={(which) => {
            change({ ...value, which: which as 'first' })
          }}
        />
        <EventName
          label="event"
          value={value.name}
          change={(name) => {
            change({ ...value, name })
          }}
        />
        <Select
          label="was"
          w={160}
          allowDeselect={false}
          data={['in the last', 'longer ago than']}
          value={value.is}
          onChange={(is) => {
            change({ ...value, is: is as 'in the last' })
          }}
        />
        <Count
          label="days"
          value={value.days}
          change={(days) => {
            change({ ...value, days })
          }}
        />
        {out}
      </div>
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

function usePropertiesOf(name: string): readonly string[] {
  const events = useRoute(routes.catalogue)
  return (events.data ?? []).find((event) => event.name === name)?.properties ?? []
}

function EventName({ label, value, change }: { label: string; value: string; change: (next: string) => void }) {
  const events = useRoute(routes.catalogue)
  return (
    <Autocomplete
      label={label}
      w={200}
      data={(events.data ?? []).map((event) => event.name)}
      value={value}
      onChange={change}
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
