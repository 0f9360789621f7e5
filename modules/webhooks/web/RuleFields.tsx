import { Autocomplete, Button, Select, TagsInput, TextInput } from '@mantine/core'
import { useMemo } from 'react'
import { pathsOf, type BodyPath } from './body-paths.ts'
import { PathInput, ValueInput } from './FieldInput.tsx'
import {
  fullName,
  isMade,
  isNamedField,
  noField,
  shownName,
  withRow,
  withType,
  type FormRule,
  type FormValue,
  type Row,
  type RuleType,
} from './rule-form.ts'
import { conditionsInWords, inWords } from './rule-words.ts'

const kinds: readonly { value: RuleType; label: string }[] = [
  { value: 'track', label: 'an event (track)' },
  { value: 'identify', label: 'what is known of a person (identify)' },
  { value: 'page', label: 'a page that was seen (page)' },
  { value: 'screen', label: 'a screen that was seen (screen)' },
  { value: 'group', label: 'what a person belongs to (group)' },
  { value: 'alias', label: 'two ids of one person (alias)' },
  { value: 'asItIs', label: 'the tracking call that it is' },
  { value: 'nothing', label: 'nothing: known, and of no use' },
]
const identifiers = ['email', 'phone', 'userId', 'anonymousId', 'customer_number']

interface Props {
  rule: FormRule
  change: (rule: FormRule) => void
  paths: readonly BodyPath[]
}

/** One rule, opened: what it is about, what it becomes, and where each part of it is taken from. */
export function RuleFields(props: {
  rule: FormRule
  change: (rule: FormRule) => void
  bodies: readonly string[]
  topics: readonly string[]
  /** Whether anything says what a message is about. */
  hasTopic: boolean
}) {
  const { rule, change, bodies, topics, hasTopic } = props
  const { paths, unsayable } = useMemo(() => pathsOf(bodies, rule.each), [bodies, rule.each])
  const of = { rule, change, paths }
  return (
    <div className="stack">
      <div className="fields">
        <TagsInput
          label="When it is about"
          description={
            hasTopic ? 'What was seen is offered; none means anything.' : 'No field says it yet: leave this empty.'
          }
          placeholder={rule.topics.length === 0 ? 'anything' : undefined}
          data={[...topics]}
          maxTags={50}
          value={rule.topics}
          onChange={(chosen) => {
            change({ ...rule, topics: chosen })
          }}
        />
        <Select
          label="It becomes"
          description="What a message about it says."
          allowDeselect={false}
          data={kinds}
          value={rule.type}
          onChange={(type) => {
            change(withType(rule, type as RuleType))
          }}
        />
      </div>
      {rule.when.length === 0 && rule.each === undefined ? null : (
        <p className="breaks">
          {rule.when.length === 0 ? '' : `Only when ${conditionsInWords(rule.when)}. `}
          {rule.each === undefined ? '' : `One call for each of ${rule.each}. `}
          <span className="secondary">(said in text, stays as it is)</span>
        </p>
      )}
      {isMade(rule.type) ? <Made {...of} /> : null}
      {unsayable.length === 0 ? null : (
        <p className="secondary breaks">
          Not offered, because their names are too long or have a line break in them:{' '}
          {unsayable
            .slice(0, 5)
            .map((name) => `“${name}”`)
            .join(', ')}
          {unsayable.length > 5 ? ` and ${String(unsayable.length - 5)} more` : ''}. Give them plain names in the
          sender.
        </p>
      )}
    </div>
  )
}

const isBlank = (value: FormValue) =>
  value.kind === 'field' ? value.paths.every((path) => path === '') : value.kind === 'id' && value.path === ''

/** What a rule says once: put in, changed, or left out when nothing is chosen. */
function withOnce({ rule }: Props, part: Row['part'], name: string, value: FormValue): FormRule {
  const is = (row: Row) => row.part === part && row.name === name
  if (isBlank(value) && name !== 'event') return { ...rule, rows: rule.rows.filter((row) => !is(row)) }
  if (!rule.rows.some(is)) return withRow(rule, { part, name, value })
  return { ...rule, rows: rule.rows.map((row) => (is(row) ? { ...row, value } : row)) }
}

function Made(props: Props) {
  const { rule, change, paths } = props
  const once = (part: Row['part'], name: string) =>
    rule.rows.find((row) => row.part === part && row.name === name)?.value
  const put = (part: Row['part'], name: string) => (value: FormValue) => {
    change(withOnce(props, part, name, value))
  }
  const hasName = rule.type === 'page' || rule.type === 'screen'
  const others = rule.rows.filter(
    (row) =>
      !row.idle &&
      row.part === 'field' &&
      !isNamedField(row) &&
      row.name !== 'timestamp' &&
      row.name !== (rule.type === 'track' ? 'event' : hasName ? 'name' : ''),
  )
  const what = rule.type === 'identify' || rule.type === 'group' ? 'Traits' : 'Properties'
  return (
    <>
      {rule.type === 'track' ? (
        <div className="condition" role="group" aria-label="The event">
          <ValueInput
            label="The event’s name"
            value={once('field', 'event') ?? { kind: 'fixed', text: '' }}
            paths={paths}
            only={['fixed', 'asItIs']}
            onChange={put('field', 'event')}
          />
        </div>
      ) : null}
      {hasName ? (
        <div className="condition" role="group" aria-label={`The ${rule.type}`}>
          <ValueInput
            label="Its name"
            value={once('field', 'name') ?? noField}
            paths={paths}
            only={['fixed', 'asItIs']}
            onChange={put('field', 'name')}
          />
        </div>
      ) : null}
      <Rows
        {...props}
        title="Whose it is"
        says="By these the person is found, or made when nobody is known by them."
        part="whose"
        add="Add an identifier"
      />
      <Rows
        {...props}
        title={what}
        says="What is worth knowing about it."
        part="field"
        add={`Add one of the ${what.toLowerCase()}`}
      />
      <div className="condition" role="group" aria-label="When it happened">
        <ValueInput
          label="When it happened (when it came, if nothing says so)"
          value={once('field', 'timestamp') ?? { kind: 'field', how: 'time', paths: [''], first: false }}
          paths={paths}
          only={['time']}
          onChange={put('field', 'timestamp')}
        />
      </div>
      <Same {...props} value={once('id', 'id') ?? { kind: 'id', before: '', path: '' }} put={put('id', 'id')} />
      {others.map((row) => (
        <p key={row.key} className="breaks">
          {row.name}: {row.value.kind === 'said' ? inWords(row.value.expression) : 'as it was written'}{' '}
          <span className="secondary">(said in text, stays as it is)</span>
        </p>
      ))}
    </>
  )
}

/** The id that stays the same when the same is said again. */
function Same({ rule, paths, value, put }: Props & { value: FormValue; put: (value: FormValue) => void }) {
  if (value.kind !== 'id')
    return (
      <div className="condition">
        <ValueInput label="Counted once by" value={value} paths={paths} onChange={put} />
      </div>
    )
  const event = rule.rows.find((row) => row.name === 'event' && row.part === 'field' && !row.idle)?.value
  const word = (event?.kind === 'fixed' ? event.text : rule.type).toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '-')
  return (
    <div className="condition" role="group" aria-label="Counted once">
      <PathInput
        label="Counted once by (by the sender’s own id, if nothing is chosen)"
        placeholder="the number of an order, of an answer"
        value={value.path}
        paths={paths}
        onChange={(path) => {
          put({ kind: 'id', path, before: value.path === '' && value.before === '' ? `${word}-` : value.before })
        }}
      />
      {value.path === '' ? null : (
        <TextInput
          label="after the words"
          description="Two rules about one thing need two."
          maxLength={80}
          w={200}
          value={value.before}
          onChange={(event_) => {
            put({ ...value, before: event_.currentTarget.value })
          }}
        />
      )}
    </div>
  )
}

/** Identifiers, or properties and traits: a name, and where it is taken from. */
function Rows(props: Props & { title: string; says: string; part: 'whose' | 'field'; add: string }) {
  const { rule, change, paths, title, says, part, add } = props
  const rows = rule.rows.filter((row) => !row.idle && (part === 'whose' ? row.part === part : isNamedField(row)))
  const put = (key: number, next: Partial<Row>) => {
    change({ ...rule, rows: rule.rows.map((row) => (row.key === key ? { ...row, ...next } : row)) })
  }
  return (
    <section className="stack" aria-label={title}>
      <p>
        <b>{title}</b> <span className="secondary">{says}</span>
      </p>
      <div className="stack">
        {rows.map((row) => {
          const shown = part === 'whose' ? row.name : shownName(rule.type, row.name)
          return (
            <div key={row.key} className="condition" role="group" aria-label={shown === '' ? 'a new line' : shown}>
              {part === 'whose' ? (
                <Autocomplete
                  label="kind"
                  w={140}
                  data={identifiers}
                  filter={({ options }) => options}
                  value={shown}
                  onChange={(name) => {
                    put(row.key, { name: name.trim() })
                  }}
                />
              ) : (
                <TextInput
                  label="name"
                  w={140}
                  maxLength={180}
                  value={shown}
                  onChange={(event) => {
                    put(row.key, { name: fullName(rule.type, event.currentTarget.value.trim()) })
                  }}
                />
              )}
              <ValueInput
                label="field"
                value={row.value}
                paths={paths}
                onChange={(value) => {
                  put(row.key, { value })
                }}
              />
              <Button
                size="compact-sm"
                variant="subtle"
                aria-label={`Take out ${shown}`}
                onClick={() => {
                  change({ ...rule, rows: rule.rows.filter((one) => one.key !== row.key) })
                }}
              >
                Take out
              </Button>
            </div>
          )
        })}
        <div className="row">
          <Button
            size="xs"
            variant="default"
            onClick={() => {
              const name = part === 'whose' && !rows.some((row) => row.name === 'email') ? 'email' : ''
              change(withRow(rule, { part, name, value: noField }))
            }}
          >
            {add}
          </Button>
        </div>
      </div>
    </section>
  )
}
