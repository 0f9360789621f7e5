import { Button, Menu, SegmentedControl } from '@mantine/core'
import type { Condition, SegmentDefinition } from '../contract.ts'
import { OneCondition } from './OneCondition.tsx'

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
              <OneCondition
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
const last30 = { kind: 'last', days: 30 } as const

/** What can be asked about a person, in the words of the button that adds it. */
const questions: Readonly<Record<string, () => Condition>> = {
  'What they are': newTrait,
  'What they did': () => ({
    kind: 'event',
    name: 'Product Viewed',
    times: { is: 'at least', count: 1 },
    window: last30,
    where: [],
  }),
  'What they agreed to': () => ({ kind: 'consent', topic: 'news', state: 'given' }),
}
const more: Readonly<Record<string, () => Condition>> = {
  'How much, over what they did': () => ({
    kind: 'amount',
    of: 'sum',
    property: 'revenue',
    name: 'Order Completed',
    is: 'at least',
    value: 100,
    window: { kind: 'last', days: 90 },
    where: [],
  }),
  'One thing and then another': () => ({
    kind: 'sequence',
    first: 'Product Added',
    second: 'Order Completed',
    did: 'but not',
    days: 1,
    window: last30,
  }),
  'The first or the last time': () => ({
    kind: 'moment',
    which: 'last',
    name: 'Order Completed',
    is: 'longer ago than',
    days: 60,
    where: [],
  }),
  'A share drawn by lot': () => ({ kind: 'sample', percent: 10, lot: 'autumn' }),
}

function Add({ add }: { add: (condition: Condition) => void }) {
  return (
    <>
      {Object.entries(questions).map(([label, make]) => (
        <Button
          key={label}
          variant="default"
          size="xs"
          onClick={() => {
            add(make())
          }}
        >
          {label}
        </Button>
      ))}
      <Menu>
        <Menu.Target>
          <Button variant="default" size="xs">
            More…
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {Object.entries(more).map(([label, make]) => (
            <Menu.Item
              key={label}
              onClick={() => {
                add(make())
              }}
            >
              {label}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </>
  )
}
