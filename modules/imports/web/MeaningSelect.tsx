import { Select } from '@mantine/core'
import type { Column } from '../contract.ts'

/** What a column can mean, as one word for the picker: `identifier:email`, `trait:firstName`, `consent:topic`, `ignore`. */
const word = (meaning: Column['meaning']) =>
  meaning.kind === 'identifier'
    ? `identifier:${meaning.type}`
    : meaning.kind === 'trait'
      ? `trait:${meaning.name}`
      : meaning.kind === 'consent'
        ? `consent:${meaning.part}`
        : 'ignore'
function meant(text: string): Column['meaning'] {
  const [kind = '', rest = ''] = text.split(':')
  if (kind === 'identifier') return { kind, type: rest }
  if (kind === 'trait') return { kind, name: rest }
  if (kind === 'consent') return { kind, part: rest as 'topic' }
  return { kind: 'ignore' }
}
const choices = [
  {
    group: 'Identifiers',
    items: ['email', 'phone', 'user_id', 'crm_id', 'customer_id'].map((type) => ({
      value: `identifier:${type}`,
      label: `identifier ${type}`,
    })),
  },
  {
    group: 'Traits',
    items: [
      'firstName',
      'lastName',
      'name',
      'birthday',
      'gender',
      'address.street',
      'address.postalCode',
      'address.city',
      'address.country',
      'language',
      'company',
      'customerSince',
      'notes',
    ].map((name) => ({ value: `trait:${name}`, label: name })),
  },
  {
    group: 'Consent',
    items: ['topic', 'state', 'at', 'source'].map((part) => ({ value: `consent:${part}`, label: `consent: ${part}` })),
  },
  { group: 'Nothing', items: [{ value: 'ignore', label: 'leave it out' }] },
]

/** Picks what a column means. */
export function MeaningSelect(props: {
  column: Pick<Column, 'name' | 'meaning'>
  disabled?: boolean
  onChange: (meaning: Column['meaning']) => void
}) {
  const { column, disabled, onChange } = props
  const value = word(column.meaning)
  const known = choices.some((group) => group.items.some((item) => item.value === value))
  return (
    <Select
      miw={190}
      aria-label={`What ${column.name} means`}
      disabled={disabled === true}
      allowDeselect={false}
      searchable
      data={known ? choices : [{ group: 'As found', items: [{ value, label: value.replace(':', ' ') }] }, ...choices]}
      value={value}
      onChange={(next) => {
        onChange(meant(next ?? 'ignore'))
      }}
    />
  )
}
