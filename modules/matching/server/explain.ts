import { valueOf } from '../../../lib/linkage/columns.ts'
import { comparerOf } from '../../../lib/linkage/compare.ts'
import { kinds } from '../../../lib/linkage/kinds.ts'
import { priorWeight, probabilityOf, uOf, weightOf } from '../../../lib/linkage/model.ts'
import { rarityBits } from '../../../lib/linkage/work.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Resolved } from './resolve.ts'

/** Why two rows are one entity, or are not: the weights add up to the odds. */
export interface Explained {
  /** Bits before anything is compared: how rare it is that two rows are one. */
  prior: number
  fields: {
    name: string
    /** As they were compared. */
    values: [string, string]
    /** In words. */
    level: string
    /** Bits; of them, those that come from how rare or how frequent the value is. */
    weight: number
    byFrequency: number
  }[]
  weight: number
  probability: number
}

/** @param left and @param right rows by place @throws Refusal('not_found') when there is none */
export function explainPair(
  { model, fields, all }: Pick<Resolved, 'model' | 'fields' | 'all'>,
  left: number,
  right: number,
): Explained {
  if (Math.max(left, right) >= all.records || Math.min(left, right) < 0)
    throw new Refusal('not_found', `There is no such row; rows are counted from 1 to ${String(all.records)}.`)
  const found = new Uint8Array(fields.length)
  comparerOf(all).levelsOf(left, right, found)
  const levels = [...found]
  const prior = priorWeight(model.prior)
  const compared = fields.map((field, at) => {
    const level = levels[at] ?? 0
    const { words } = kinds[field.kind]
    const alone = model.untrained.includes(at) ? 0 : weightOf(model.fields, at, levels)
    // Beside a field that makes this one agree anyway, its frequency says nothing more.
    const isFree = uOf(model.fields, at, levels) < (model.fields[at]?.u[level] ?? 0) * 1.4
    const byFrequency = level === words.length && isFree ? rarityBits(all, model, at, left) : 0
    return {
      name: field.name,
      values: [left, right].map((row) => valueOf(all, at, row)) as [string, string],
      level: level === 0 ? 'one of them says nothing' : (words[level - 1] ?? ''),
      weight: alone + byFrequency,
      byFrequency,
    }
  })
  const weight = compared.reduce((sum, field) => sum + field.weight, prior)
  return { prior, fields: compared, weight, probability: probabilityOf(weight) }
}
