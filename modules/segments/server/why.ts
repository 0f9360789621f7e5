import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Condition, SegmentDefinition, Why } from '../contract.ts'
import { createCompiler } from './compile.ts'
import { describeCondition } from './describe.ts'

type Found = [text: string | null, figure: number | null, atMs: string | null]

/**
 * Why a person is in a segment, or is not: each condition, whether it holds now, and what there is to show for it.
 * @returns undefined when nothing is known of that person
 */
export async function why(
  clickhouse: ClickHouse,
  definition: SegmentDefinition,
  profile: string,
  nowMs: number,
): Promise<Why | undefined> {
  const { condition, evidence, params } = createCompiler(nowMs, profile)
  const conditions = definition.groups.flatMap((group) => group.of)
  const columns = conditions.flatMap((of, at) => [
    `toUInt8(${condition(of)}) AS h${String(at)}`,
    `${evidence(of)} AS e${String(at)}`,
  ])
  const [row] = await clickhouse.query<Record<string, number | Found>>(
    `SELECT ${columns.join(',\n')} FROM profile AS p FINAL WHERE p.profile_id = {id:String} AND p.removed = 0`,
    params,
  )
  if (row === undefined) return undefined
  let at = 0
  const both = (match: 'all' | 'any', all: readonly boolean[]) =>
    match === 'all' ? all.every((one) => one) : all.some((one) => one)
  const groups = definition.groups.map((group) => {
    const of = group.of.map((one) => {
      const [holds, found] = [row[`h${String(at)}`] === 1, row[`e${String(at)}`] as Found]
      at += 1
      return { says: describeCondition(one), holds, ...shown(one, found) }
    })
    const fits = both(
      group.match,
      of.map(({ holds }) => holds),
    )
    return { match: group.match, not: group.not, holds: fits !== group.not, of }
  })
  return {
    inside: both(
      definition.match,
      groups.map(({ holds }) => holds),
    ),
    match: definition.match,
    groups,
  }
}

function shown(of: Condition, [text, figure, atMs]: Found): { found: string; at: string | null } {
  const at = atMs === null ? null : new Date(Number(atMs)).toISOString()
  const times = (many: number) => (many === 0 ? 'not once' : many === 1 ? 'once' : `${String(many)} times`)
  switch (of.kind) {
    case 'trait':
      return { found: text === null ? 'not known' : `it is “${text.slice(0, 200)}”`, at }
    case 'event':
    case 'sequence':
    case 'moment':
      return { found: times(figure ?? 0), at }
    case 'amount':
      return { found: figure === null ? 'nothing' : `it is ${String(Math.round(figure * 100) / 100)}`, at }
    case 'consent':
    case 'sample':
      return { found: '', at }
  }
}
