import type { Condition, Expression, Rule } from '../../../lib/mapping/mapping.ts'
import { isMade, shownName } from './rule-form.ts'

/** What an expression says, for people who do not read JSON. */
export function inWords(one: Expression): string {
  if ('path' in one) return one.path
  if ('value' in one) return typeof one.value === 'string' ? `“${one.value}”` : String(one.value)
  if ('first' in one)
    return one.first.length === 1
      ? one.first.map(inWords).join('')
      : `the first of ${one.first.map(inWords).join(', ')}`
  if ('join' in one) return `${one.join.map(inWords).join(' + ')} in one`
  if ('number' in one) return `${inWords(one.number)} as a number`
  if ('sum' in one) return `the sum of ${one.sum.map(inWords).join(', ')}`
  if ('absolute' in one) return `${inWords(one.absolute)} without its sign`
  if ('sumOf' in one) {
    const when = one.when === undefined || one.when.length === 0 ? '' : ` where ${conditionsInWords(one.when)}`
    return `the sum of ${inWords(one.of)} over ${one.sumOf}${when}`
  }
  if ('time' in one) return `${inWords(one.time)} as a time`
  if ('text' in one) return `${inWords(one.text)} as text`
  if ('lower' in one) return `${inWords(one.lower)} in lower case`
  if ('choose' in one) {
    const choices = Object.entries(one.from).map(([word, says]) => `${word} → “${String(says)}”`)
    const otherwise = one.otherwise === undefined ? '' : `, else ${inWords(one.otherwise)}`
    return `what ${inWords(one.choose)} stands for (${choices.join(', ')}${otherwise})`
  }
  if ('list' in one) return `a list of ${Object.keys(one.each).join(', ')} for each of ${one.list}`
  return `${inWords(one.of)} of each of ${one.pluck}`
}

/** All of which must hold. */
export const conditionsInWords = (conditions: readonly Condition[]): string =>
  conditions.map(conditionInWords).join(' and ')
function conditionInWords({ that, is, isNot, exists }: Condition): string {
  const what = inWords(that)
  return [
    ...(exists === undefined ? [] : [`${what} is ${exists ? 'there' : 'missing'}`]),
    ...(is === undefined ? [] : [`${what} is ${is.map(String).join(' or ')}`]),
    ...(isNot === undefined ? [] : [`${what} is not ${isNot.map(String).join(' or ')}`]),
  ].join(' and ')
}

/** What a message becomes. */
export function becomes(rule: Rule): string {
  if (rule.type === 'nothing') return 'nothing: it says nothing about people'
  if (rule.type === 'asItIs') return 'the tracking call that it is'
  const event = rule.fields['event']
  const named =
    event === undefined
      ? ''
      : 'choose' in event
        ? Object.values(event.from)
            .map((one) => `“${String(one)}”`)
            .join(' or ')
        : 'value' in event
          ? inWords(event)
          : `named by ${inWords(event)}`
  return `${rule.type} ${named}${rule.each === undefined ? '' : `, one for each of ${rule.each}`}`.trim()
}

/** The names of what it takes along. */
export function withWhat(rule: Rule): string {
  if (!isMade(rule.type)) return ''
  const names = [
    ...Object.keys(rule.identifiers),
    ...Object.keys(rule.fields)
      .filter((name) => /^(properties|traits)[.]/.test(name))
      .map((name) => shownName(rule.type, name)),
  ]
  return names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${String(names.length - 8)} more` : names.join(', ')
}
