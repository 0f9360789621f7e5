import type { Expression, Rule } from '../../../../lib/mapping/mapping.ts'

/** Short words for writing mappings by hand, here and in tests. */
export const at = (path: string): Expression => ({ path })
export const say = (value: string): Expression => ({ value })
export const amount = (path: string): Expression => ({ number: at(path) })
export const instant = (...paths: string[]): Expression => ({ time: { first: paths.map(at) } })
export const joined = (...parts: (string | Expression)[]): Expression => ({
  join: parts.map((part) => (typeof part === 'string' ? say(part) : part)),
})

/** A rule with what most have in common. */
export const rule = (one: Partial<Rule> & Pick<Rule, 'topics' | 'type'>): Rule => ({
  when: [],
  fields: {},
  identifiers: {},
  ...one,
})
