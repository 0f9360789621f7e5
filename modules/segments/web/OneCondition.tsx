import { Autocomplete, Button, NumberInput, Select, TextInput } from '@mantine/core'
import { routes as consent } from '../../consent/contract.ts'
import { routes as profiles } from '../../profiles/contract.ts'
import { useRoute } from '../../../ui/api.ts'
import type { Condition } from '../contract.ts'
import { Amount, Did, Moment, Sequence } from './deeds.tsx'
import { TestOf, type Edits } from './fields.tsx'

/** One question about a person, with what can be chosen from what really arrived. */
export function OneCondition({
  value,
  change,
  remove,
}: {
  value: Condition
  change: (next: Condition) => void
  remove?: () => void
}) {
  const out =
    remove === undefined ? null : (
      <Button size="compact-sm" variant="subtle" onClick={remove}>
        Take out
      </Button>
    )
  switch (value.kind) {
    case 'trait':
      return <Trait value={value} change={change} out={out} />
    case 'consent':
      return <Agreed value={value} change={change} out={out} />
    case 'event':
      return <Did value={value} change={change} out={out} />
    case 'amount':
      return <Amount value={value} change={change} out={out} />
    case 'sequence':
      return <Sequence value={value} change={change} out={out} />
    case 'moment':
      return <Moment value={value} change={change} out={out} />
    case 'sample':
      return <Drawn value={value} change={change} out={out} />
  }
}

function Trait({ value, change, out }: Edits<'trait'>) {
  const fields = useRoute(profiles.fields)
  return (
    <div className="condition">
      <Autocomplete
        label="whose"
        w={180}
        data={(fields.data ?? []).map((field) => field.name)}
        value={value.field}
        onChange={(field) => {
          change({ ...value, field })
        }}
      />
      <TestOf
        value={value.test}
        change={(test) => {
          change({ ...value, test })
        }}
        samples={(fields.data ?? []).find((field) => field.name === value.field)?.samples ?? []}
      />
      {out}
    </div>
  )
}

function Agreed({ value, change, out }: Edits<'consent'>) {
  const topics = useRoute(consent.topics)
  return (
    <div className="condition">
      <Select
        label="who"
        w={220}
        allowDeselect={false}
        data={[
          { value: 'given', label: 'may be mailed about' },
          { value: 'not given', label: 'may not be mailed about' },
        ]}
        value={value.state}
        onChange={(state) => {
          change({ ...value, state: state as 'given' })
        }}
      />
      <Autocomplete
        label="topic"
        w={180}
        data={(topics.data ?? []).map((topic) => topic.id)}
        value={value.topic}
        onChange={(topic) => {
          change({ ...value, topic })
        }}
      />
      {out}
    </div>
  )
}

function Drawn({ value, change, out }: Edits<'sample'>) {
  return (
    <div className="condition">
      <NumberInput
        label="per cent of everybody"
        w={160}
        min={0.01}
        max={100}
        decimalScale={2}
        value={value.percent}
        onChange={(percent) => {
          if (typeof percent === 'number') change({ ...value, percent })
        }}
      />
      <TextInput
        label="drawn by the lot"
        description="The same lot draws the same people."
        w={220}
        value={value.lot}
        onChange={(event) => {
          change({ ...value, lot: event.currentTarget.value })
        }}
      />
      {out}
    </div>
  )
}
