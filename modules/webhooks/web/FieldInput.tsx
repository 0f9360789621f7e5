import { Autocomplete, Button, Select, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { BodyPath } from './body-paths.ts'
import type { FormValue, How } from './rule-form.ts'
import { inWords } from './rule-words.ts'

const mostOffered = 200
const hows: readonly { value: How | 'fixed'; label: string }[] = [
  { value: 'asItIs', label: 'as it is' },
  { value: 'number', label: 'as a number' },
  { value: 'time', label: 'as a time' },
  { value: 'lower', label: 'lower case' },
  { value: 'text', label: 'as text' },
  { value: 'fixed', label: 'a fixed text' },
]

/** A field of the bodies: chosen from those that came, each with what it says, or written. */
export function PathInput(props: {
  label: string
  value: string
  paths: readonly BodyPath[]
  onChange: (path: string) => void
  placeholder?: string
}) {
  const { label, value, paths, onChange, placeholder } = props
  const samples = new Map(paths.map(({ path, sample }) => [path, sample]))
  const sample = samples.get(value)
  // Opened, it offers everything; what is typed then finds a field by its name and by what it says.
  const [typed, setTyped] = useState(false)
  const isMissing = value !== '' && sample === undefined && paths.length > 0 && !value.startsWith('header.')
  return (
    <Autocomplete
      label={label}
      description={
        isMissing ? 'not in the last bodies' : sample === undefined || sample === '' ? undefined : `says “${sample}”`
      }
      placeholder={placeholder ?? (paths.length === 0 ? 'customer.email' : 'choose a field')}
      style={{ flex: '1 1 150px', minWidth: 0 }}
      data={[...samples.keys()]}
      maxDropdownHeight={320}
      comboboxProps={{ position: 'bottom-start' }}
      styles={{ dropdown: { minWidth: 290 } }}
      filter={({ options, search }) => {
        const word = search.trim().toLowerCase()
        const fits = options.filter(
          (one) =>
            'value' in one && (!typed || `${one.value} ${samples.get(one.value) ?? ''}`.toLowerCase().includes(word)),
        )
        return fits.slice(0, mostOffered)
      }}
      onDropdownOpen={() => {
        setTyped(false)
      }}
      renderOption={({ option }) => (
        <span className="breaks">
          {option.value} <span className="secondary">{samples.get(option.value)}</span>
        </span>
      )}
      value={value}
      onChange={(path) => {
        setTyped(true)
        onChange(path)
      }}
    />
  )
}

/** Where something is taken from: a field and what is done with it, the first of several, or a fixed text; in words where the form has no more to say. */
export function ValueInput(props: {
  label: string
  value: FormValue
  paths: readonly BodyPath[]
  onChange: (value: FormValue) => void
  /** What may be done with it; everything when not given. */
  only?: readonly (How | 'fixed')[]
}) {
  const { label, value, paths, onChange, only } = props
  if (value.kind === 'said')
    return (
      <p style={{ flex: '1 1 150px', minWidth: 0 }} className="breaks">
        {label === 'field' ? '' : `${label}: `}
        {inWords(value.expression)} <span className="secondary">(said in text, stays as it is)</span>
      </p>
    )
  if (value.kind === 'id') return null
  const offered = hows.filter((one) => only === undefined || only.includes(one.value))
  const how = value.kind === 'fixed' ? 'fixed' : value.how
  const choice =
    offered.length < 2 ? null : (
      <Select
        label="how"
        w={124}
        allowDeselect={false}
        data={offered}
        value={how}
        onChange={(chosen) => {
          if (chosen === 'fixed') onChange({ kind: 'fixed', text: '' })
          else if (value.kind === 'field') onChange({ ...value, how: chosen as How })
          else onChange({ kind: 'field', how: chosen as How, paths: [''], first: false })
        }}
      />
    )
  if (value.kind === 'fixed')
    return (
      <>
        {choice}
        <TextInput
          label={label === 'field' ? 'text' : label}
          style={{ flex: '1 1 150px', minWidth: 0 }}
          maxLength={500}
          value={value.text}
          onChange={(event) => {
            onChange({ kind: 'fixed', text: event.currentTarget.value })
          }}
        />
      </>
    )
  const put = (at: number, path: string) => {
    onChange({ ...value, paths: value.paths.map((one, other) => (other === at ? path : one)) })
  }
  return (
    <>
      {choice}
      {value.paths.map((path, at) => (
        <PathInput
          key={at}
          label={at === 0 ? label : 'or else'}
          value={path}
          paths={paths}
          onChange={(chosen) => {
            put(at, chosen)
          }}
        />
      ))}
      {value.paths.length > 1 ? (
        <Button
          size="compact-sm"
          variant="subtle"
          onClick={() => {
            onChange({ ...value, paths: value.paths.slice(0, -1) })
          }}
        >
          Not the last
        </Button>
      ) : null}
      {value.paths[0] === '' ? null : (
        <Button
          size="compact-sm"
          variant="subtle"
          title="Another field, for when this one says nothing"
          onClick={() => {
            onChange({ ...value, paths: [...value.paths, ''] })
          }}
        >
          Or else
        </Button>
      )}
    </>
  )
}
