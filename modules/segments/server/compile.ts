import { topicOf } from '../../consent/server/index.ts'
import { maybeOf, resolvedJoin, resolvedProfile } from '../../identity/server/index.ts'
import type { Condition, SegmentDefinition, Test, Where, Window } from '../contract.ts'

/** A question to ClickHouse: text of ours, values as parameters. */
export interface Compiled {
  /** A SELECT of `profile_id`. */
  sql: string
  params: Record<string, string | number | boolean | (string | number)[]>
}

/** Conditions as expressions over a profile of alias `p`, with their parameters. */
export interface Compiler {
  params: Compiled['params']
  condition(of: Condition): string
  /** What there is to show for a condition of the one person: an expression of a Tuple(text, number, instant), each of which may be null. */
  evidence(of: Condition): string
}

/**
 * A definition as one SELECT of profile ids. No text of a person ever enters the SQL: names of fields were checked against a pattern by the contract and
 * become quoted path segments, everything else is a `{p0:Type}` parameter. Conditions on consent read the copy that `consented.ts` keeps.
 * @param nowMs the instant that "in the last n days" counts back from
 */
export function compile(definition: SegmentDefinition, nowMs: number): Compiled {
  const { condition, params } = createCompiler(nowMs)
  const groups = definition.groups.map(
    (group) =>
      `${group.not ? 'NOT ' : ''}(${group.of.map(condition).join(group.match === 'all' ? '\n AND ' : '\n OR ')})`,
  )
  return {
    sql: `SELECT p.profile_id AS profile_id FROM profile AS p FINAL WHERE p.removed = 0 AND (${groups.join(definition.match === 'all' ? '\nAND ' : '\nOR ')})`,
    params,
  }
}

/**
 * @param nowMs the instant that "in the last n days" counts back from
 * @param only asked about this person alone: what others did is not looked at
 */
export function createCompiler(nowMs: number, only?: string): Compiler {
  const params: Compiled['params'] = only === undefined ? {} : { id: only }
  const maybe = only === undefined ? '' : ` AND ${maybeOf}`
  let count = 0
  const param = (value: string | number | boolean | (string | number)[], type: string): string => {
    const name = `p${String(count++)}`
    params[name] = value
    return `{${name}:${type}}`
  }
  const path = (column: string, field: string) =>
    `${column}.${field
      .split('.')
      .map((part) => `\`${part}\``)
      .join('.')}`
  const daysAgo = (days: number) => param(new Date(nowMs - days * 86_400_000).toISOString(), 'String')
  const instant = (of: string) => `parseDateTime64BestEffortOrNull(${of}, 3, 'UTC')`

  function test(value: string, of: Test): string {
    // A JSON path has the type that came; text and number are asked for side by side, so that 7 and "7" are both found.
    const text = `toString(${value})`
    switch (of.is) {
      case 'set':
        return `isNotNull(${value})`
      case 'not set':
        return `isNull(${value})`
      case 'equal':
        return `(isNotNull(${value}) AND ${text} = ${param(String(of.value), 'String')})`
      case 'not equal':
        return `(isNull(${value}) OR ${text} != ${param(String(of.value), 'String')})`
      case 'contains':
        return `(isNotNull(${value}) AND positionCaseInsensitiveUTF8(${text}, ${param(of.value, 'String')}) > 0)`
      case 'starts with':
        return `(isNotNull(${value}) AND startsWithUTF8(lowerUTF8(${text}), lowerUTF8(${param(of.value, 'String')})))`
      case 'one of':
        return `(isNotNull(${value}) AND has(${param(of.values.map(String), 'Array(String)')}, ${text}))`
      case 'greater than':
        return `(ifNull(toFloat64OrNull(${text}) > ${param(of.value, 'Float64')}, 0))`
      case 'less than':
        return `(ifNull(toFloat64OrNull(${text}) < ${param(of.value, 'Float64')}, 0))`
      case 'at least':
        return `(ifNull(toFloat64OrNull(${text}) >= ${param(of.value, 'Float64')}, 0))`
      case 'at most':
        return `(ifNull(toFloat64OrNull(${text}) <= ${param(of.value, 'Float64')}, 0))`
      case 'in the last':
        return `(ifNull(${instant(text)} >= ${instant(daysAgo(of.days))}, 0))`
      case 'not in the last':
        return `(isNull(${value}) OR ifNull(${instant(text)} < ${instant(daysAgo(of.days))}, 1))`
    }
  }
  function within(window: Window): string {
    if (window.kind === 'ever') return '1'
    if (window.kind === 'last') return `e.time >= ${instant(daysAgo(window.days))}`
    return `e.time >= ${instant(param(`${window.from}T00:00:00Z`, 'String'))} AND e.time < ${instant(param(`${window.to}T00:00:00Z`, 'String'))} + INTERVAL 1 DAY`
  }
  const filtersOf = (where: Where) =>
    where.map((filter) => ` AND ${test(path('e.properties', filter.property), filter.test)}`).join('')
  /** The events of one name, by whose they are now. */
  function did(name: string, window: Window, where: Where): string {
    // The corrected profile is a scalar from a join, so the tie of two merges in one instant cannot give two answers.
    return `SELECT ${resolvedProfile} AS profile_id FROM event AS e ${resolvedJoin}
          WHERE e.name = ${param(name, 'String')} AND ${within(window)}${filtersOf(where)}${maybe} AND e.profile_id != '' GROUP BY profile_id`
  }
  function condition(of: Condition): string {
    switch (of.kind) {
      case 'trait':
        return test(path('p.traits', of.field), of.test)
      case 'event': {
        const inner = did(of.name, of.window, of.where)
        // Who never did it is in no group of events, so everything that zero satisfies is asked the other way round.
        if (of.times.is === 'did not') return `p.profile_id NOT IN (${inner})`
        const { count } = of.times
        switch (of.times.is) {
          case 'at least':
            return count === 0 ? '1' : `p.profile_id IN (${inner} HAVING count() >= ${param(count, 'UInt32')})`
          case 'at most':
            return `p.profile_id NOT IN (${inner} HAVING count() > ${param(count, 'UInt32')})`
          case 'exactly':
            return count === 0
              ? `p.profile_id NOT IN (${inner})`
              : `p.profile_id IN (${inner} HAVING count() = ${param(count, 'UInt32')})`
        }
        break
      }
      case 'amount': {
        const inner = did(of.name, of.window, of.where)
        const number = `toFloat64OrNull(toString(${path('e.properties', of.property)}))`
        const [value, than] = [param(of.value, 'Float64'), of.is === 'at least' ? ['>=', '<'] : ['<=', '>']]
        if (of.of !== 'sum')
          return `p.profile_id IN (${inner} HAVING ${of.of === 'mean' ? 'avg' : 'max'}(${number}) ${than[0] ?? ''} ${value})`
        // Who never did it is in no group of events: what 0 satisfies is asked the other way round.
        const nothing = of.is === 'at least' ? of.value <= 0 : of.value >= 0
        const sum = `ifNull(sum(${number}), 0)`
        return nothing
          ? `p.profile_id NOT IN (${inner} HAVING ${sum} ${than[1] ?? ''} ${value})`
          : `p.profile_id IN (${inner} HAVING ${sum} ${than[0] ?? ''} ${value})`
      }
      case 'sequence': {
        const [first, second] = [param(of.first, 'String'), param(of.second, 'String')]
        const [days, now] = [param(of.days * 86_400_000, 'Int64'), param(nowMs, 'Int64')]
        const ms = 'toUnixTimestamp64Milli(e.time)'
        const came = `arrayExists(b -> b > a AND b <= a + ${days}, seconds)`
        const held = of.did === 'and then' ? came : `a + ${days} < ${now} AND NOT ${came}`
        return `p.profile_id IN (SELECT profile_id FROM (
          SELECT ${resolvedProfile} AS profile_id, groupArrayIf(${ms}, e.name = ${first} AND ${within(of.window)}) AS firsts, groupArrayIf(${ms}, e.name = ${second}) AS seconds
          FROM event AS e ${resolvedJoin} WHERE e.name IN (${first}, ${second})${maybe} AND e.profile_id != '' GROUP BY profile_id)
          WHERE arrayExists(a -> ${held}, firsts))`
      }
      case 'moment': {
        const at = of.which === 'first' ? 'min(e.time)' : 'max(e.time)'
        return `p.profile_id IN (${did(of.name, { kind: 'ever' }, of.where)} HAVING ${at} ${of.is === 'in the last' ? '>=' : '<'} ${instant(daysAgo(of.days))})`
      }
      case 'sample':
        return `(sipHash64(p.profile_id, ${param(of.lot, 'String')}) % 10000 < ${param(Math.round(of.percent * 100), 'UInt32')})`
      case 'consent':
        return `p.profile_id ${of.state === 'given' ? 'IN' : 'NOT IN'} (SELECT m.profile_id FROM mailable AS m FINAL WHERE m.topic = ${param(topicOf(of.topic), 'String')} AND m.removed = 0)`
    }
  }
  function evidence(of: Condition): string {
    const none =
      "tuple(CAST(NULL, 'Nullable(String)'), CAST(NULL, 'Nullable(Float64)'), CAST(NULL, 'Nullable(String)'))"
    const iso = (at: string) => `if(count() = 0, NULL, toString(toUnixTimestamp64Milli(${at})))`
    const theirs = (name: string, window: Window, where: Where, figure: string, at: string) =>
      `(SELECT tuple(CAST(NULL, 'Nullable(String)'), CAST(${figure}, 'Nullable(Float64)'), CAST(${iso(at)}, 'Nullable(String)')) FROM event AS e ${resolvedJoin}
        WHERE e.name = ${param(name, 'String')} AND ${within(window)}${filtersOf(where)}${maybe} AND ${resolvedProfile} = {id:String})`
    switch (of.kind) {
      case 'trait': {
        const value = path('p.traits', of.field)
        return `tuple(CAST(if(isNull(${value}), NULL, toString(${value})), 'Nullable(String)'), CAST(NULL, 'Nullable(Float64)'), CAST(NULL, 'Nullable(String)'))`
      }
      case 'event':
        return theirs(of.name, of.window, of.where, 'count()', 'max(e.time)')
      case 'amount':
        return theirs(
          of.name,
          of.window,
          of.where,
          `${{ sum: 'sum', mean: 'avg', highest: 'max' }[of.of]}(toFloat64OrNull(toString(${path('e.properties', of.property)})))`,
          'max(e.time)',
        )
      case 'moment':
        return theirs(
          of.name,
          { kind: 'ever' },
          of.where,
          'count()',
          of.which === 'first' ? 'min(e.time)' : 'max(e.time)',
        )
      case 'sequence':
        return theirs(of.first, of.window, [], 'count()', 'max(e.time)')
      case 'consent':
      case 'sample':
        return none
    }
  }
  return { params, condition, evidence }
}
