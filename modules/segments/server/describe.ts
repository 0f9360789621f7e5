import { labelOf } from '../../../lib/sensitivity/sensitivity.ts'
import { topicOf } from '../../consent/server/index.ts'
import type { Condition, SegmentDefinition, Test, Window } from '../contract.ts'

/** A definition as a sentence that can be read aloud. Composed from the definition itself, so it cannot say anything else. */
export function describe(definition: SegmentDefinition): string {
  const groups = definition.groups.map((group) => {
    const text = join(group.of.map(describeCondition), group.match === 'all' ? 'and' : 'or')
    return group.not
      ? `not (${text})`
      : definition.groups.length > 1 && group.of.length > 1 && group.match !== definition.match
        ? `(${text})`
        : text
  })
  return `People ${join(groups, definition.match === 'all' ? 'and' : 'or')}.`
}

/** The short names of the topics that a definition asks about. */
export function topicsUsed(definition: SegmentDefinition): string[] {
  const all = definition.groups.flatMap((group) => group.of)
  return [...new Set(all.flatMap((of) => (of.kind === 'consent' ? [topicOf(of.topic)] : [])))]
}

/** The trait fields that a definition reads, and whether it reads what people did. */
export function fieldsUsed(definition: SegmentDefinition): { traits: string[]; events: string[] } {
  const all = definition.groups.flatMap((group) => group.of)
  return {
    traits: [...new Set(all.flatMap((of) => (of.kind === 'trait' ? [of.field] : [])))],
    events: [
      ...new Set(all.flatMap((of) => (of.kind === 'sequence' ? [of.first, of.second] : 'name' in of ? [of.name] : []))),
    ],
  }
}

/** One condition, as it goes on after “People”. */
export function describeCondition(of: Condition): string {
  if (of.kind === 'trait') return `whose ${labelOf(of.field)} ${test(of.test)}`
  if (of.kind === 'consent') return `who ${of.state === 'given' ? 'may' : 'may not'} be mailed about “${of.topic}”`
  if (of.kind === 'sample') return `who are in the ${String(of.percent)}% drawn by the lot “${of.lot}”`
  if (of.kind === 'sequence')
    return of.did === 'and then'
      ? `who did “${of.first}”${window(of.window)} and then “${of.second}” within ${days(of.days)}`
      : `who did “${of.first}”${window(of.window)} but not “${of.second}” within ${days(of.days)} after it`
  const where =
    of.where.length === 0
      ? ''
      : ` with ${join(
          of.where.map((filter) => `${labelOf(filter.property)} that ${test(filter.test)}`),
          'and',
        )}`
  if (of.kind === 'moment')
    return of.is === 'in the last'
      ? `who did “${of.name}”${where} for the ${of.which} time in the last ${days(of.days)}`
      : `who did “${of.name}”${where} for the ${of.which} time more than ${days(of.days)} ago`
  const when = window(of.window)
  if (of.kind === 'amount')
    return `whose “${of.name}”${where}${when} ${of.of === 'sum' ? 'together have' : of.of === 'mean' ? 'have on average' : 'have at the most'} ${labelOf(of.property)} ${of.is} ${String(of.value)}`
  if (of.times.is === 'did not') return `who did not do “${of.name}”${where}${when}`
  const times =
    of.times.count === 1 && of.times.is === 'at least'
      ? ''
      : ` ${of.times.is} ${String(of.times.count)} ${of.times.count === 1 ? 'time' : 'times'}`
  return `who did “${of.name}”${where}${times}${when}`
}

function test(of: Test): string {
  switch (of.is) {
    case 'equal':
      return `is ${quote(of.value)}`
    case 'not equal':
      return `is not ${quote(of.value)}`
    case 'contains':
      return `contains ${quote(of.value)}`
    case 'starts with':
      return `starts with ${quote(of.value)}`
    case 'one of':
      return `is one of ${join(of.values.map(quote), 'or')}`
    case 'greater than':
    case 'less than':
    case 'at least':
    case 'at most':
      return `is ${of.is} ${String(of.value)}`
    case 'set':
      return 'is known'
    case 'not set':
      return 'is not known'
    case 'in the last':
      return `is in the last ${String(of.days)} days`
    case 'not in the last':
      return `is not in the last ${String(of.days)} days`
  }
}

const days = (many: number) => (many === 1 ? 'one day' : `${String(many)} days`)

function window(of: Window): string {
  if (of.kind === 'ever') return ''
  return of.kind === 'last' ? ` in the last ${String(of.days)} days` : ` between ${of.from} and ${of.to}`
}
function quote(value: string | number | boolean): string {
  return typeof value === 'string' ? `“${value}”` : String(value)
}
function join(words: readonly string[], by: 'and' | 'or'): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} ${by} ${words.at(-1) ?? ''}`
}
