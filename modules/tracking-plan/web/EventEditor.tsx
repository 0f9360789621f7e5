import { Button, Checkbox, Modal, NumberInput, Select, TagsInput, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { sensitivityOf } from '../../../lib/sensitivity/sensitivity.ts'
import {
  hasName,
  keyOf,
  labelOfEvent,
  modes,
  PlannedEvent,
  propertyTypes,
  type Mode,
  type PlannedProperty,
  type PropertyType,
} from '../contract.ts'

const kinds = [
  { value: 'track', label: 'something that happened (track)' },
  { value: 'page', label: 'a page that was seen (page)' },
  { value: 'screen', label: 'a screen that was seen (screen)' },
  { value: 'identify', label: 'what is known of a person (identify)' },
  { value: 'group', label: 'what is known of a group (group)' },
  { value: 'alias', label: 'two ids of one person (alias)' },
]
const types = Object.entries(propertyTypes).map(([value, label]) => ({ value, label }))
const levels = [
  'nothing personal',
  'pseudonymous',
  'contact',
  'behaviour or purchases',
  'special category, payment',
].map((label, level) => ({ value: String(level), label: `${String(level)} ${label}` }))
type Draft = PlannedProperty & { key: number }

/** An event and its properties, without code. */
export function EventEditor(props: {
  before: PlannedEvent | undefined
  others: readonly PlannedEvent[]
  busy: boolean
  close: () => void
  save: (event: PlannedEvent) => void
}) {
  const { before } = props
  const [event, setEvent] = useState<Omit<PlannedEvent, 'properties'>>(
    before ?? { type: 'track', name: '', status: 'planned', description: '' },
  )
  const [next, setNext] = useState(before?.properties.length ?? 0)
  const [properties, setProperties] = useState<Draft[]>(
    (before?.properties ?? []).map((property, key) => ({ ...property, key })),
  )
  const [wrong, setWrong] = useState<string[]>([])
  const put = (key: number, change: Partial<PlannedProperty>) => {
    setProperties((all) => all.map((one) => (one.key === key ? { ...one, ...change } : one)))
  }
  const submit = (submitted: FormEvent) => {
    submitted.preventDefault()
    const { mode, ...rest } = event
    const parsed = PlannedEvent.safeParse({
      ...rest,
      name: hasName(event.type) ? event.name : '',
      ...(mode === undefined ? {} : { mode }),
      properties: properties.map(({ key: _key, ...property }) =>
        Object.fromEntries(Object.entries(property).filter(([, value]) => value !== undefined)),
      ),
    })
    if (!parsed.success) {
      setWrong(
        parsed.error.issues.map((issue) => {
          const at = issue.path[0] === 'properties' ? properties[Number(issue.path[1])] : undefined
          return `${at === undefined ? 'The event' : at.name === '' ? 'A property' : at.name}: ${issue.message}.`
        }),
      )
    } else if (props.others.some((other) => keyOf(other) === keyOf(parsed.data))) {
      setWrong([`${labelOfEvent(parsed.data)} is planned already.`])
    } else props.save(parsed.data)
  }
  return (
    <Modal opened onClose={props.close} title={before === undefined ? 'Plan an event' : labelOfEvent(before)} size="xl">
      <form className="stack" onSubmit={submit}>
        <div className="condition">
          <Select
            label="What it is"
            data={kinds}
            value={event.type}
            allowDeselect={false}
            onChange={(value) => {
              setEvent({ ...event, type: value as PlannedEvent['type'] })
            }}
          />
          {hasName(event.type) ? (
            <TextInput
              data-autofocus
              className="grow"
              label={
                event.type === 'track'
                  ? 'Its name, as it is sent'
                  : 'Its name (empty: every one that is not planned by name)'
              }
              required={event.type === 'track'}
              value={event.name}
              onChange={({ currentTarget: { value } }) => {
                setEvent({ ...event, name: value })
              }}
            />
          ) : null}
        </div>
        <TextInput
          label="What it means"
          placeholder="Somebody paid for a basket"
          value={event.description}
          onChange={({ currentTarget: { value } }) => {
            setEvent({ ...event, description: value })
          }}
        />
        <div className="condition">
          <Select
            label="Stands"
            data={[
              { value: 'planned', label: 'planned' },
              { value: 'deprecated', label: 'deprecated: taken, and written down' },
            ]}
            value={event.status}
            allowDeselect={false}
            onChange={(value) => {
              setEvent({ ...event, status: value === 'deprecated' ? 'deprecated' : 'planned' })
            }}
          />
          <Select
            label="When it violates the plan"
            data={[
              { value: '', label: 'as the plan says' },
              ...Object.keys(modes).map((mode) => ({ value: mode, label: mode })),
            ]}
            value={event.mode ?? ''}
            allowDeselect={false}
            onChange={(value) => {
              const { mode: _before, ...rest } = event
              setEvent(value === null || value === '' ? rest : { ...rest, mode: value as Mode })
            }}
          />
        </div>
        {properties.map((property) => (
          <Property
            key={property.key}
            property={property}
            put={(change) => {
              put(property.key, change)
            }}
            remove={() => {
              setProperties((all) => all.filter((one) => one.key !== property.key))
            }}
          />
        ))}
        <Button
          variant="default"
          onClick={() => {
            setNext(next + 1)
            setProperties([
              ...properties,
              { key: next, name: '', type: 'string', required: false, meaning: '', sensitivity: 1, purpose: '' },
            ])
          }}
        >
          Add a property
        </Button>
        {wrong.length === 0 ? null : (
          <div className="problem" role="alert">
            {wrong.map((sentence) => (
              <span key={sentence}>{sentence}</span>
            ))}
          </div>
        )}
        <div className="row">
          <Button type="submit" loading={props.busy}>
            Save it
          </Button>
          <Button variant="default" onClick={props.close}>
            Leave it as it is
          </Button>
        </div>
      </form>
    </Modal>
  )
}

function Property(props: { property: Draft; put: (change: Partial<PlannedProperty>) => void; remove: () => void }) {
  const { property, put } = props
  const { type } = property
  const numbers = type === 'integer' || type === 'number'
  const of = type === 'string' ? ' (characters)' : type === 'array' ? ' (elements)' : ''
  // `undefined` takes an optional one out again; it is left out when the event is saved.
  const bound = (side: 'min' | 'max', label: string) => (
    <NumberInput
      label={`${label}${of}`}
      value={property[side] ?? ''}
      onChange={(value) => {
        put({ [side]: typeof value === 'number' ? value : undefined })
      }}
    />
  )
  return (
    <fieldset className="group">
      <legend className="hidden">{property.name === '' ? 'A new property' : property.name}</legend>
      <div className="condition">
        <TextInput
          label="Property"
          placeholder="total, address.city"
          required
          value={property.name}
          onChange={({ currentTarget: { value } }) => {
            put({ name: value, sensitivity: Math.max(property.sensitivity, sensitivityOf(value)) as 1 })
          }}
        />
        <Select
          label="Holds"
          data={types}
          value={type}
          allowDeselect={false}
          onChange={(value) => {
            put({ type: value as PropertyType, ...unfit })
          }}
        />
        <Checkbox
          label="required"
          checked={property.required}
          onChange={({ currentTarget: { checked } }) => {
            put({ required: checked })
          }}
        />
        <Button size="compact-sm" variant="default" onClick={props.remove}>
          Take out
        </Button>
      </div>
      <div className="condition">
        <TextInput
          className="grow"
          label="Means"
          value={property.meaning}
          onChange={({ currentTarget: { value } }) => {
            put({ meaning: value })
          }}
        />
        <TextInput
          className="grow"
          label="Is for"
          value={property.purpose}
          onChange={({ currentTarget: { value } }) => {
            put({ purpose: value })
          }}
        />
      </div>
      <div className="condition">
        <Select
          label="Sensitivity"
          data={levels}
          value={String(property.sensitivity)}
          allowDeselect={false}
          onChange={(value) => {
            put({ sensitivity: Number(value) as 1 })
          }}
        />
        {type === 'string' ? (
          <TagsInput
            className="grow"
            label="Only these values (none means all)"
            value={property.values ?? []}
            onChange={(values) => {
              put({ values: values.length === 0 ? undefined : values })
            }}
          />
        ) : null}
        {numbers || type === 'string' || type === 'array' ? (
          <>
            {bound('min', 'At least')}
            {bound('max', 'At most')}
          </>
        ) : null}
      </div>
    </fieldset>
  )
}

/** What one type had, another need not have. */
const unfit: Partial<PlannedProperty> = { values: undefined, min: undefined, max: undefined }
