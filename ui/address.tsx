import { Button, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'

export type Words = Readonly<Record<string, string | undefined>>

/** `?a=b` as plain words, so that an address can be read, typed and sent: the router would write JSON. */
export const readWords = (text: string): Words => Object.fromEntries(new URLSearchParams(text))
/** The other way round; empty words are left out. */
export function writeWords(words: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(words))
    if (typeof value === 'string' && value !== '') query.set(name, value)
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}

/**
 * What the address says: filters, search, page and tab live here and nowhere else, so that a link shows what its sender saw.
 * The second value changes some words; an empty one takes the word out. `step` makes it a step that Back takes back.
 */
export function useAddress(): [Words, (changes: Words, how?: { step?: boolean }) => void] {
  const words: Words = useSearch({ strict: false })
  const navigate = useNavigate()
  const put = (changes: Words, how: { step?: boolean } = {}) => {
    void navigate({
      to: '.',
      search: (before: Words) => ({ ...before, ...changes }),
      replace: how.step !== true,
      resetScroll: how.step === true,
    })
  }
  return [words, put]
}

/** The words that say where in a list one is; whoever changes a filter begins anew. */
export const fromTheStart = { after: undefined, before: undefined } as const

/** A search that stands in the address as `q`; `/` leads to it. */
export function SearchField({ label, placeholder }: { label: string; placeholder: string }) {
  const [words, put] = useAddress()
  const said = words['q'] ?? ''
  const [text, setText] = useState(said)
  const [seen, setSeen] = useState({ said, written: said })
  const write = useDebouncedCallback((q: string) => {
    setSeen((before) => ({ ...before, written: q }))
    put({ q, ...fromTheStart })
  }, 250)
  // The address changed under the field (Back, a link): it shows what the address says.
  if (said !== seen.said) {
    setSeen({ said, written: said })
    if (said !== seen.written) setText(said)
  }
  return (
    <TextInput
      className="grow"
      data-search
      aria-label={label}
      placeholder={placeholder}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value)
        write(event.currentTarget.value)
      }}
    />
  )
}

/**
 * Further and back to the start of a long list.
 * @param word `after` for lists that begin anywhere, `before` for those that begin with the newest
 * @param next where the next page begins; null on the last
 */
export function Pager({ word, next }: { word: 'after' | 'before'; next: string | number | null | undefined }) {
  const [words, put] = useAddress()
  const more = next !== null && next !== undefined
  if (words[word] === undefined && !more) return null
  return (
    <nav className="row" aria-label="Pages of the list">
      {words[word] === undefined ? null : (
        <Button
          variant="default"
          onClick={() => {
            put({ [word]: undefined }, { step: true })
          }}
        >
          {word === 'before' ? 'Newest' : 'From the beginning'}
        </Button>
      )}
      {more ? (
        <Button
          variant="default"
          onClick={() => {
            put({ [word]: String(next) }, { step: true })
          }}
        >
          {word === 'before' ? 'Older' : 'Further'}
        </Button>
      ) : null}
    </nav>
  )
}
