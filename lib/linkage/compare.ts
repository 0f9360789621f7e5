import type { Column, Columns } from './columns.ts'
import { highestOf, kinds, type Compare } from './kinds.ts'
import type { Level } from './model.ts'
import { gramDistance, jaroWinkler, mayBeSlips, mostAlike, oneSlip, twoSlips } from './similarity.ts'

/** The level of two values that are both there and differ: 1 when they differ altogether. */
export type Comparison = (left: number, right: number) => Level

export interface Comparer {
  fields: number
  /** Levels of two records, into `levels`. */
  levelsOf(left: number, right: number, levels: Uint8Array): void
  /** The field alone, of values that differ. */
  of: readonly Comparison[]
  /** Given name and surname of each other: gives true when both differ and changed places. */
  swapped(left: number, right: number): boolean
  givenName: number
  surname: number
}

/** Level of given name and surname that changed places. */
export const swappedLevel = 3

/** Compares records by all their fields. */
export function comparerOf({ columns, cells }: Columns): Comparer {
  const width = columns.length
  const comparisons = columns.map((column) => comparisonOf(column))
  const highest = columns.map(({ kind }) => highestOf(kind))
  const givenName = columns.findIndex(({ kind }) => kind === 'givenName')
  const surname = columns.findIndex(({ kind }) => kind === 'surname')
  const [given, family] = [columns[givenName], columns[surname]]

  const swapped = (left: number, right: number): boolean => {
    if (given === undefined || family === undefined) return false
    const one = given.hashes[cells[left * width + givenName] ?? 0] ?? 0
    const two = family.hashes[cells[left * width + surname] ?? 0] ?? 0
    return (
      one !== 0 &&
      two !== 0 &&
      one === family.hashes[cells[right * width + surname] ?? 0] &&
      two === given.hashes[cells[right * width + givenName] ?? 0]
    )
  }

  return {
    fields: width,
    of: comparisons,
    givenName,
    surname,
    swapped,
    levelsOf(left, right, levels) {
      for (let at = 0; at < width; at++) {
        const one = cells[left * width + at] ?? 0
        const two = cells[right * width + at] ?? 0
        if (one === 0 || two === 0) levels[at] = 0
        else if (one === two) levels[at] = highest[at] ?? 2
        else levels[at] = comparisons[at]?.(one, two) ?? 1
      }
      if (givenName >= 0 && surname >= 0 && swapped(left, right) && levels[surname] !== highest[surname]) {
        levels[givenName] = swappedLevel
        levels[surname] = swappedLevel
      }
    },
  }
}

const givenNameSteps = [0.8, 0.9]
const emailSteps = [0.92]

function comparisonOf(column: Column): Comparison {
  const { starts, lengths, text, letters, parts, otherParts, gramStarts, gramCounts, grams } = column
  const compare: Compare = kinds[column.kind].compare
  /** Level of the similarity of letters; most pairs are told apart by their lengths and letters alone. */
  const byLetters = (left: number, right: number, steps: readonly number[]): Level => {
    const [a, b] = [starts[left] ?? 0, starts[right] ?? 0]
    const [aLength, bLength] = [lengths[left] ?? 0, lengths[right] ?? 0]
    let prefix = 0
    while (prefix < 4 && prefix < aLength && prefix < bLength && text[a + prefix] === text[b + prefix]) prefix += 1
    if (mostAlike(aLength, letters[left] ?? 0, bLength, letters[right] ?? 0, prefix) < (steps[0] ?? 1)) return 1
    const similarity = jaroWinkler(text, a, aLength, b, bLength)
    let level = 1
    for (const step of steps) if (similarity >= step) level += 1
    return level
  }
  const isOneSlip = (left: number, right: number) =>
    mayBeSlips(1, letters[left] ?? 0, letters[right] ?? 0) &&
    oneSlip(text, starts[left] ?? 0, lengths[left] ?? 0, starts[right] ?? 0, lengths[right] ?? 0)
  switch (compare.by) {
    case 'nothing':
      return () => 1
    case 'letters': {
      const { steps } = compare
      return (left, right) => byLetters(left, right, steps)
    }
    case 'words': {
      const { steps } = compare
      return (left, right) => {
        const apart = gramDistance(
          grams,
          gramStarts[left] ?? 0,
          gramCounts[left] ?? 0,
          gramStarts[right] ?? 0,
          gramCounts[right] ?? 0,
        )
        let level = 1
        for (const step of steps) if (apart <= step) level += 1
        return level
      }
    }
    case 'slip':
      return (left, right) => (isOneSlip(left, right) ? 2 : 1)
    case 'givenName':
      return (left, right) =>
        parts[left] === parts[right] || beginsAlike(column, left, right) ? 4 : byLetters(left, right, givenNameSteps)
    case 'date':
      return (left, right) => {
        if (isOneSlip(left, right)) return 4
        if (parts[left] === parts[right] || otherParts[left] === otherParts[right]) return 3
        return mayBeSlips(2, letters[left] ?? 0, letters[right] ?? 0) &&
          twoSlips(text, starts[left] ?? 0, lengths[left] ?? 0, starts[right] ?? 0, lengths[right] ?? 0)
          ? 2
          : 1
      }
    case 'email':
      return (left, right) => (parts[left] === parts[right] ? 3 : byLetters(left, right, emailSteps))
    case 'postcode':
      return (left, right) => {
        if (isOneSlip(left, right)) return 3
        return parts[left] === parts[right] ? 2 : 1
      }
  }
}

function beginsAlike({ starts, lengths, text }: Column, left: number, right: number): boolean {
  const least = Math.min(lengths[left] ?? 0, lengths[right] ?? 0)
  const [one, two] = [starts[left] ?? 0, starts[right] ?? 0]
  for (let at = 0; at < least; at++) if (text[one + at] !== text[two + at]) return false
  return true
}
