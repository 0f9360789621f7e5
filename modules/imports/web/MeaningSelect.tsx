import { Button, Select } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { routes as consent } from '../../consent/contract.ts'
import { useRoute } from '../../../ui/api.ts'
import { agreesIn, looksLikeConsent, type Column } from '../contract.ts'

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
const choicesWith = (nothing: string) => [
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
  { group: 'Nothing', items: [{ value: 'ignore', label: nothing }] },
]

/** Picks what a column means; of one that says whether people agreed, also to what. */
export function MeaningSelect(props: {
  column: Pick<Column, 'name' | 'type' | 'meaning'>
  disabled?: boolean
  /** Words for a column that says nothing about the person, where it still says something else. */
  nothing?: string | undefined
  onChange: (meaning: Column['meaning']) => void
}) {
  const { column, disabled, onChange } = props
  const choices = choicesWith(props.nothing ?? 'leave it out')
  const { meaning } = column
  const value = word(meaning)
  const known = choices.some((group) => group.items.some((item) => item.value === value))
  return (
    <div className="stack tight">
      <Select
        miw={190}
        aria-label={`What ${column.name} means`}
        disabled={disabled === true}
        allowDeselect={false}
        searchable
        data={known ? choices : [{ group: 'As found', items: [{ value, label: value.replace(':', ' ') }] }, ...choices]}
        value={value}
        onChange={(next) => {
          onChange(next === 'consent:state' ? agreesIn(column) : meant(next ?? 'ignore'))
        }}
      />
      {meaning.kind === 'consent' && meaning.part === 'state' ? (
        <TopicSelect
          name={column.name}
          topic={meaning.topic}
          bySms={meaning.channel === 'sms'}
          disabled={disabled === true}
          onChange={(topic) => {
            const { topic: _before, ...same } = meaning
            onChange({ ...same, ...(topic === undefined ? {} : { topic }) })
          }}
        />
      ) : null}
      {looksLikeConsent(column) && disabled !== true ? (
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => {
            onChange(agreesIn(column))
          }}
        >
          It is consent: choose the topic
        </Button>
      ) : null}
    </div>
  )
}

/** To which topic people agreed; nobody's choice until somebody makes it. */
function TopicSelect(props: {
  name: string
  topic: string | undefined
  bySms: boolean
  disabled: boolean
  onChange: (topic: string | undefined) => void
}) {
  const list = useRoute(consent.topics)
  const topics = (list.data ?? []).map((one) => ({ value: one.id, label: one.name }))
  const { topic } = props
  if (list.data?.length === 0)
    return (
      <p className="secondary">
        There is no topic yet. <Link to="/settings/topics">Make one</Link> in the words that people agreed to.
      </p>
    )
  return (
    <Select
      aria-label={`To which topic ${props.name} agrees`}
      placeholder="To which topic?"
      description={props.bySms ? 'by SMS' : undefined}
      clearable
      disabled={props.disabled}
      data={topic === undefined || topics.some((one) => one.value === topic) ? topics : [...topics, topic]}
      value={topic ?? null}
      onChange={(next) => {
        props.onChange(next ?? undefined)
      }}
    />
  )
}
