import { Autocomplete, Button, NumberInput, SegmentedControl, Select, TextInput } from '@mantine/core'
import { routes as consent } from '../../consent/contract.ts'
import { routes as profiles } from '../../profiles/contract.ts'
import { useRoute } from '../../../ui/api.ts'
import { routes, type Condition, type SegmentDefinition, type Test, type Window } from '../contract.ts'

type Group = SegmentDefinition['groups'][number]

/** Builds a definition: groups of conditions, each group all or any, the groups all or any. */
export function Builder({ value, change }: { value: SegmentDefinition; change: (next: SegmentDefinition) => void }) {
  const setGroup = (at: number, group: Group | undefined) => {
    change({
      ...value,
      groups:
        group === undefined
          ? value.groups.filter((_one, index) => index !== at)
          : value.groups.map((one, index) => (index === at ? group : one)),
    })
  }
  return (
    <div className="stack">
      {value.groups.map((group, index) => (
        <div key={index} className="stack">
          {index === 0 ? null : (
            <SegmentedControl
              aria-label="How the groups go together"
              w={160}
              size="xs"
              value={value.match}
              onChange={(match) => {
                change({ ...value, match: match })
              }}
              data={[
                { value: 'all', label: 'and' },
                { value: 'any', label: 'or' },
              ]}
            />
          )}
          <fieldset className="group">
            <legend className="hidden">Group {index + 1}</legend>
            <div className="row">
              <SegmentedControl
                size="xs"
                aria-label="In or out"
                value={group.not ? 'not' : 'in'}
                onChange={(not) => {
                  setGroup(index, { ...group, not: not === 'not' })
                }}
                data={[
                  { value: 'in', label: 'People who' },
                  { value: 'not', label: 'People who do not' },
                ]}
              />
              {group.of.length > 1 ? (
                <SegmentedControl
                  size="xs"
                  aria-label="How the conditions go together"
                  value={group.match}
                  onChange={(match) => {
                    setGroup(index, { ...group, match: match as 'all' })
                  }}
                  data={[
                    { value: 'all', label: 'fit all of these' },
                    { value: 'any', label: 'fit any of these' },
                  ]}
                />
              ) : null}
              {value.groups.length > 1 ? (
                <Button
                  size="compact-sm"
                  variant="subtle"
                  onClick={() => {
                    setGroup(index, undefined)
                  }}
                >
                  Take the group out
                </Button>
              ) : null}
            </div>
            {group.of.map((condition, at) => (
              <One
                key={at}
                value={condition}
                change={(next) => {
                  setGroup(index, { ...group, of: group.of.map((other, place) => (place === at ? next : other)) })
                }}
                {...(group.of.length > 1
                  ? {
                      remove: () => {
                        setGroup(index, { ...group, of: group.of.filter((_other, place) => place !== at) })
                      },
                    }
                  : {})}
              />
            ))}
            <div className="row">
              <Add
                add={(condition) => {
                  setGroup(index, { ...group, of: [...group.of, condition] })
                }}
              />
            </div>
          </fieldset>
        </div>
      ))}
      <div>
        <Button
          variant="default"
          size="xs"
          onClick={() => {
            change({ ...value, groups: [...value.groups, { match: 'all', not: false, of: [newTrait()] }] })
          }}
        >
          Another group
        </Button>
      </div>
    </div>
  )
}

const newTrait = (): Condition => ({ kind: 'trait', field: 'address.country', test: { is: 'equal', value: '' } })
const newEvent = (): Condition => ({
  kind: 'event',
  name: 'Product Viewed',
  times: { is: 'at least', count: 1 },
  window: { kind: 'last', days: 30 },
  where: [],
})
const newConsent = (): Condition => ({ kind: 'consent', topic: 'news', state: 'given' })

function Add({ add }: { add: (condition: Condition) => void }) {
  return (
    <>
      <Button
        variant="default"
        size="xs"
        onClick={() => {
          add(newTrait())
        }}
      >
        What they are
      </Button>
      <Button
        variant="default"
        size="xs"
        onClick={() => {
          add(newEvent())
        }}
      >
        What they did
      </Button>
      <Button
        variant="default"
        size="xs"
        onClick={() => {
          add(newConsent())
        }}
      >
        What they agreed to
      </Button>
    </>
  )
}

function One({ value, change, remove }: { value: Condition; change: (next: Condition) => void; remove?: () => void }) {
  const fields = useRoute(profiles.fields)
  const events = useRoute(routes.catalogue)
  const topics = useRoute(consent.topics)
  const out =
    remove === undefined ? null : (
      <Button size="compact-sm" variant="subtle" onClick={remove}>
        Take out
      </Button>
    )
  if (value.kind === 'trait')
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
  if (value.kind === 'consent')
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
  const properties = (events.data ?? []).find((event) => event.name === value.name)?.properties ?? []
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
          <NumberInput
            label="times"
            w={80}
            min={0}
            max={10_000}
            value={value.times.count}
            onChange={(times) => {
              if (value.times.is !== 'did not' && typeof times === 'number')
                change({ ...value, times: { ...value.times, count: times } })
            }}
          />
        )}
        <Autocomplete
          label="event"
          w={200}
          data={(events.data ?? []).map((event) => event.name)}
          value={value.name}
          onChange={(name) => {
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
      {value.where.map((filter, index) => (
        <div key={index} className="condition" style={{ paddingLeft: 20 }}>
          <Autocomplete
            label="where"
            w={180}
            data={properties}
            value={filter.property}
            onChange={(property) => {
              change({
                ...value,
                where: value.where.map((other, at) => (at === index ? { ...other, property } : other)),
              })
            }}
          />
          <TestOf
            value={filter.test}
            change={(test) => {
              change({ ...value, where: value.where.map((other, at) => (at === index ? { ...other, test } : other)) })
            }}
            samples={[]}
          />
          <Button
            size="compact-sm"
            variant="subtle"
            onClick={() => {
              change({ ...value, where: value.where.filter((_other, at) => at !== index) })
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
            change({
              ...value,
              where: [...value.where, { property: properties[0] ?? 'category', test: { is: 'equal', value: '' } }],
            })
          }}
        >
          Only with a property
        </Button>
      </div>
    </div>
  )
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

function TestOf({ value, change, samples }: { value: Test; change: (next: Test) => void; samples: readonly string[] }) {
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

function WindowOf({ value, change }: { value: Window; change: (next: Window) => void }) {
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
