import { Button, Select, TagsInput, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { routes as accounts } from '../../accounts/contract.ts'
import { useRoute } from '../../../ui/api.ts'
import { capabilities, type Tool } from '../contract.ts'

export interface ToolValues {
  name: string
  vendor: string
  capability: Tool['capability']
  personalFields: string[]
  region: string
  ownerMarketing: string | null
  ownerIt: string | null
  endsOn: string | null
  costMinor: number | null
}

/** The facts of a tool, for registering and for changing one. */
export function ToolForm({
  start,
  act,
  busy,
  save,
}: {
  start?: Tool
  act: string
  busy: boolean
  save: (values: ToolValues) => void
}) {
  const people = useRoute(accounts.people)
  const [values, setValues] = useState<ToolValues>({
    name: start?.name ?? '',
    vendor: start?.vendor ?? '',
    capability: start?.capability ?? 'Collect',
    personalFields: start?.personalFields ?? [],
    region: start?.region ?? 'EU',
    ownerMarketing: start?.owners.marketing?.id ?? null,
    ownerIt: start?.owners.it?.id ?? null,
    endsOn: start?.contract.endsOn ?? null,
    costMinor: start?.contract.costMinor ?? null,
  })
  const set = <Key extends keyof ToolValues>(key: Key, value: ToolValues[Key]) => {
    setValues((before) => ({ ...before, [key]: value }))
  }
  const of = (side: 'marketing' | 'it') =>
    (people.data ?? [])
      .filter((one) => one.side === side && one.disabledAt === null)
      .map((one) => ({ value: one.id, label: one.name }))
  return (
    <form
      className="stack"
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        save(values)
      }}
    >
      <TextInput
        label="Name"
        required
        value={values.name}
        onChange={(event) => {
          set('name', event.currentTarget.value)
        }}
      />
      <TextInput
        label="Vendor"
        value={values.vendor}
        onChange={(event) => {
          set('vendor', event.currentTarget.value)
        }}
      />
      <Select
        label="What it is for"
        data={[...capabilities]}
        value={values.capability}
        onChange={(value) => {
          if (value !== null) set('capability', value)
        }}
        allowDeselect={false}
      />
      <Select
        label="Owner in Marketing"
        description="Answers for what it is used for."
        data={of('marketing')}
        value={values.ownerMarketing}
        onChange={(value) => {
          set('ownerMarketing', value)
        }}
        clearable
        searchable
      />
      <Select
        label="Owner in IT"
        description="Answers for how it runs."
        data={of('it')}
        value={values.ownerIt}
        onChange={(value) => {
          set('ownerIt', value)
        }}
        clearable
        searchable
      />
      <TagsInput
        label="Personal fields it holds"
        description="Type a field and press Enter."
        value={values.personalFields}
        onChange={(value) => {
          set('personalFields', value)
        }}
      />
      <TextInput
        label="Where its data is"
        value={values.region}
        onChange={(event) => {
          set('region', event.currentTarget.value)
        }}
      />
      <TextInput
        label="The contract ends on"
        type="date"
        value={values.endsOn ?? ''}
        onChange={(event) => {
          set('endsOn', event.currentTarget.value === '' ? null : event.currentTarget.value)
        }}
      />
      <TextInput
        label="Cost a year, in euros"
        inputMode="decimal"
        value={values.costMinor === null ? '' : String(values.costMinor / 100)}
        onChange={(event) => {
          const text = event.currentTarget.value.replace(',', '.')
          const cost = Number(text)
          if (!Number.isNaN(cost)) set('costMinor', text === '' ? null : Math.round(cost * 100))
        }}
      />
      <div>
        <Button type="submit" loading={busy}>
          {act}
        </Button>
      </div>
    </form>
  )
}
