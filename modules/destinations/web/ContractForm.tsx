import { MultiSelect, Select, TagsInput, TextInput, Textarea } from '@mantine/core'
import { routes as sources } from '../../sources/contract.ts'
import { sensitivityOf } from '../../../lib/sensitivity/sensitivity.ts'
import { useRoute } from '../../../ui/api.ts'
import { count } from '../../../ui/format.tsx'
import { FieldChip } from '../../../ui/signal.tsx'
import { frequencies, routes, type Contract, type Frequency, type Wanted } from '../contract.ts'

/** A contract as one types it; what the server checks is `contractOf`. */
export interface ContractValues {
  sources: string[]
  events: string[]
  /** Names of track events that are not seen yet. */
  more: string
  fields: string[]
  purpose: string
  frequency: Frequency
}

export const emptyContract: ContractValues = {
  sources: [],
  events: [],
  more: '',
  fields: [],
  purpose: '',
  frequency: 'at_once',
}

export const wordsOf = ({ type, name }: Wanted): string =>
  name === null ? `every ${type}` : type === 'track' ? name : `${type}: ${name}`
const keyOf = ({ type, name }: Wanted) => `${type} ${name ?? ''}`
const wantedOf = (key: string): Wanted => {
  const [type = 'track', ...name] = key.split(' ')
  return { type: type as Wanted['type'], name: name.join(' ') === '' ? null : name.join(' ') }
}

export const valuesOf = (contract: Contract): ContractValues => ({
  ...contract,
  events: contract.events.map(keyOf),
  more: '',
})
export const contractOf = ({ more, events, ...rest }: ContractValues): Contract => ({
  ...rest,
  sources: rest.sources as Contract['sources'],
  events: [
    ...events.map(wantedOf),
    ...more
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
      .map((name): Wanted => ({ type: 'track', name })),
  ],
})

const all: Wanted[] = (['track', 'identify', 'page', 'screen', 'group', 'alias'] as const).map((type) => ({
  type,
  name: null,
}))

/** What may leave: sources, events, fields, purpose and frequency, to choose from what came in the last week. */
export function ContractForm({
  values,
  set,
  allowed,
}: {
  values: ContractValues
  set: (values: ContractValues) => void
  allowed: readonly Frequency[]
}) {
  const list = useRoute(sources.list)
  const known = useRoute(routes.known)
  const put = <Key extends keyof ContractValues>(key: Key, value: ContractValues[Key]) => {
    set({ ...values, [key]: value })
  }
  const seen = (known.data?.events ?? []).filter(
    (one) => values.sources.length === 0 || values.sources.includes(one.sourceId),
  )
  const options = new Map(
    [
      ...seen,
      ...values.events.map((key) => ({ ...wantedOf(key), events: 0 })),
      ...all.map((one) => ({ ...one, events: 0 })),
    ].map((one) => [keyOf(one), one]),
  )
  const labels = new Map((known.data?.fields ?? []).map((field) => [field.path, field]))
  return (
    <>
      <MultiSelect
        label="From the sources"
        required
        data={(list.data?.sources ?? []).map((one) => ({ value: one.id as string, label: one.name }))}
        value={values.sources}
        onChange={(next) => {
          put('sources', next)
        }}
      />
      <MultiSelect
        label="These events"
        description="As they came in the last week, most frequent first; or every event of a type."
        searchable
        required={values.more === ''}
        data={[...options.values()].map((one) => ({ value: keyOf(one), label: wordsOf(one) }))}
        value={values.events}
        onChange={(next) => {
          put('events', next)
        }}
      />
      <TextInput
        label="And events that did not come yet"
        description="Names of track events, with commas between; told apart by every letter."
        value={values.more}
        onChange={(event) => {
          put('more', event.currentTarget.value)
        }}
      />
      <TagsInput
        label="With these fields and no other"
        description="Choose, or type a path such as properties.total and press Enter. An object does not go with its name: name what is in it."
        data={[...labels.keys()]}
        value={values.fields}
        onChange={(next) => {
          put('fields', next)
        }}
        maxDropdownHeight={260}
      />
      {values.fields.length === 0 ? (
        <p className="secondary">No field is named: each event says only its key, type, name and time.</p>
      ) : (
        <div role="note" aria-label="How sensitive the fields are">
          {values.fields.map((path) => (
            <FieldChip
              key={path}
              label={labels.get(path)?.label ?? path}
              sensitivity={labels.get(path)?.sensitivity ?? sensitivityOf(path.replace(/^[a-z]+[.]/, ''))}
            />
          ))}
        </div>
      )}
      <Textarea
        label="For what"
        description="Both sides read this before they give a key."
        required
        minLength={3}
        autosize
        minRows={2}
        value={values.purpose}
        onChange={(event) => {
          put('purpose', event.currentTarget.value)
        }}
      />
      <Select
        label="How often"
        data={allowed.map((value) => ({ value, label: frequencies[value] }))}
        value={values.frequency}
        allowDeselect={false}
        onChange={(next) => {
          if (next !== null) put('frequency', next)
        }}
      />
      <p className="secondary">
        {known.data === undefined
          ? 'What came in the last week is being looked up.'
          : `${count(
              seen
                .filter((one) => values.events.includes(keyOf(one)) || values.events.includes(`${one.type} `))
                .reduce((sum, one) => sum + one.events, 0),
            )} such events came in the last week.`}
      </p>
    </>
  )
}
