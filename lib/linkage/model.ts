/**
 * The model of Fellegi and Sunter (1969, “A Theory for Record Linkage”): for each compared field, how often each level of agreement is seen among records of
 * one entity (m) and among records of two (u). The logarithm of their quotient is the weight of that level; the sum of a pair's weights and the prior is the
 * logarithm of its odds. The weights of a pair are its explanation.
 */

/** Levels of a field: 0 is “one of them says nothing”, 1 is “they differ”, the highest is “they say the same”. */
export type Level = number

export interface FieldModel {
  /** Shares by level; index 0 (nothing said) has no meaning and weighs nothing. */
  m: number[]
  u: number[]
  /**
   * The same of records of two entities that say the same in another field: a place says little once the postcode is the same, and the name in an e-mail
   * address little once the surname is. Of several, the one under which a level surprises least counts.
   */
  given: Given[]
}

export interface Given {
  /** By place. */
  field: number
  u: number[]
}

export interface Model {
  /** Probability that two records taken at random are of one entity. */
  prior: number
  fields: FieldModel[]
}

/** So many pairs show these levels, one for each field. */
export interface Pattern {
  levels: Level[]
  pairs: number
}

/** How often records of two entities show the level that these do in a field, in the light of what else they say the same. */
export function uOf(fields: readonly Pick<FieldModel, 'u' | 'given'>[], at: number, levels: readonly Level[]): number {
  const field = fields[at]
  const level = levels[at] ?? 0
  let u = field?.u[level] ?? 1
  if (field === undefined || level < 2) return u
  for (const { field: other, u: beside } of field.given)
    if (levels[other] === (fields[other]?.u.length ?? 0) - 1) u = Math.max(u, beside[level] ?? 0)
  return u
}

/** Bits by which the levels of one field speak for a match, or below 0 against it. Saying nothing weighs nothing. */
export function weightOf(fields: readonly FieldModel[], at: number, levels: readonly Level[]): number {
  const level = levels[at] ?? 0
  if (level === 0) return 0
  return Math.log2((fields[at]?.m[level] ?? 0) / uOf(fields, at, levels))
}

/** Bits of the prior odds. */
export const priorWeight = (prior: number): number => Math.log2(prior / (1 - prior))

/** @param weight in bits @returns the probability that the pair is one entity */
export const probabilityOf = (weight: number): number => 1 / (1 + 2 ** -weight)
