/**
 * How alike two texts are. A text is a stretch of UTF-16 units in one large array, so that threads can share it and nothing is allocated for a comparison.
 */
export type Units = Uint16Array

const mostLength = 256
const takenLeft = new Uint8Array(mostLength)
const takenRight = new Uint8Array(mostLength)

/**
 * The similarity of Jaro with Winkler's bonus for a common beginning: 1 for the same, 0 for nothing in common. Of longer texts the first 256 units count.
 * Source: Winkler (1990), “String Comparator Metrics and Enhanced Decision Rules in the Fellegi-Sunter Model of Record Linkage”.
 */
export function jaroWinkler(text: Units, a: number, aLength: number, b: number, bLength: number): number {
  const one = Math.min(aLength, mostLength)
  const two = Math.min(bLength, mostLength)
  if (one === 0 || two === 0) return 0
  const reach = Math.max(0, (Math.max(one, two) >> 1) - 1)
  takenLeft.fill(0, 0, one)
  takenRight.fill(0, 0, two)
  let common = 0
  for (let at = 0; at < one; at++) {
    const unit = text[a + at]
    const from = at > reach ? at - reach : 0
    const to = at + reach + 1 < two ? at + reach + 1 : two
    for (let other = from; other < to; other++) {
      if (takenRight[other] === 1 || text[b + other] !== unit) continue
      takenLeft[at] = 1
      takenRight[other] = 1
      common += 1
      break
    }
  }
  if (common === 0) return 0
  let moved = 0
  for (let at = 0, other = 0; at < one; at++) {
    if (takenLeft[at] === 0) continue
    while (takenRight[other] === 0) other += 1
    if (text[a + at] !== text[b + other]) moved += 1
    other += 1
  }
  const jaro = (common / one + common / two + (common - moved / 2) / common) / 3
  let prefix = 0
  while (prefix < 4 && prefix < one && prefix < two && text[a + prefix] === text[b + prefix]) prefix += 1
  return jaro + prefix * 0.1 * (1 - jaro)
}

/**
 * The most that `jaroWinkler` can give, from lengths and letters alone: each letter of one that the other lacks is one that they do not have in common.
 * @param aLetters and @param bLetters from `lettersOf`
 */
export function mostAlike(
  aLength: number,
  aLetters: number,
  bLength: number,
  bLetters: number,
  prefix: number,
): number {
  const common = Math.min(aLength - bitsIn(aLetters & ~bLetters), bLength - bitsIn(bLetters & ~aLetters))
  if (common <= 0) return 0
  const jaro = (common / aLength + common / bLength + 1) / 3
  return jaro + prefix * 0.1 * (1 - jaro)
}

/** Which letters a text has, as bits; some that are rare share one. */
export function lettersOf(text: string): number {
  let letters = 0
  for (let at = 0; at < text.length; at++) letters |= 1 << (text.charCodeAt(at) & 31)
  return letters >>> 0
}

/** Whether so few slips could lie between two texts, from their letters alone: one slip changes one letter for another at most. */
export const mayBeSlips = (most: number, aLetters: number, bLetters: number): boolean =>
  bitsIn(aLetters & ~bLetters) <= most && bitsIn(bLetters & ~aLetters) <= most

/** Bits that are set (Warren, Hacker's Delight, section 5-1). */
function bitsIn(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** Whether two texts that differ are one slip of the keyboard apart: a unit added, left out, replaced, or one that changed places with its neighbour. */
export function oneSlip(text: Units, a: number, aLength: number, b: number, bLength: number): boolean {
  const longer = aLength - bLength
  if (longer > 1 || longer < -1) return false
  const least = longer < 0 ? aLength : bLength
  let at = 0
  while (at < least && text[a + at] === text[b + at]) at += 1
  if (longer === 0) {
    if (sameFrom(text, a + at + 1, b + at + 1, aLength - at - 1)) return true
    return (
      at + 1 < aLength &&
      text[a + at] === text[b + at + 1] &&
      text[a + at + 1] === text[b + at] &&
      sameFrom(text, a + at + 2, b + at + 2, aLength - at - 2)
    )
  }
  return longer > 0
    ? sameFrom(text, a + at + 1, b + at, aLength - at - 1)
    : sameFrom(text, a + at, b + at + 1, bLength - at - 1)
}

function sameFrom(text: Units, a: number, b: number, length: number): boolean {
  for (let at = 0; at < length; at++) if (text[a + at] !== text[b + at]) return false
  return true
}

const rows = [new Uint8Array(mostLength + 1), new Uint8Array(mostLength + 1), new Uint8Array(mostLength + 1)] as const

/**
 * Whether no more than two slips lie between two texts. Source: Damerau (1964), “A technique for computer detection and correction of spelling errors”; the
 * restricted form (optimal string alignment), in the band of the table that two slips can reach.
 */
export function twoSlips(text: Units, a: number, aLength: number, b: number, bLength: number): boolean {
  if (Math.abs(aLength - bLength) > 2 || Math.max(aLength, bLength) > mostLength) return false
  let [before, last, now] = rows
  for (let at = 0; at <= Math.min(bLength, 3); at++) last[at] = at
  for (let at = 1; at <= aLength; at++) {
    const from = Math.max(1, at - 2)
    const to = Math.min(bLength, at + 2)
    // Outside of the band it is more than two anyway.
    now[from - 1] = from === 1 ? at : 3
    if (to === at + 2) last[to] = 3
    let least = now[from - 1] ?? 3
    for (let other = from; other <= to; other++) {
      const unit = text[a + at - 1]
      let cost = (last[other - 1] ?? 3) + (unit === text[b + other - 1] ? 0 : 1)
      cost = Math.min(cost, (last[other] ?? 3) + 1, (now[other - 1] ?? 3) + 1)
      if (at > 1 && other > 1 && unit === text[b + other - 2] && text[a + at - 2] === text[b + other - 1])
        cost = Math.min(cost, (before[other - 2] ?? 3) + 1)
      now[other] = cost
      if (cost < least) least = cost
    }
    if (least > 2) return false
    ;[before, last, now] = [last, now, before]
  }
  return (last[bLength] ?? 3) <= 2
}

/**
 * How far apart two lists of four letters in a row are: 0 when they are the same, 1 when they have nothing in common (1 minus the coefficient of Sørensen and Dice).
 * @param grams sorted within each stretch
 */
export function gramDistance(grams: Uint32Array, a: number, aCount: number, b: number, bCount: number): number {
  if (aCount === 0 || bCount === 0) return 1
  let [one, two, common] = [0, 0, 0]
  while (one < aCount && two < bCount) {
    const left = grams[a + one] ?? 0
    const right = grams[b + two] ?? 0
    if (left === right) common += 1
    if (left <= right) one += 1
    if (right <= left) two += 1
  }
  return 1 - (2 * common) / (aCount + bCount)
}

/** The four letters in a row of a text, as numbers, sorted; a shorter text is one of them. */
export function gramsOf(text: string): Uint32Array {
  const count = Math.max(1, text.length - 3)
  const grams = new Uint32Array(count)
  for (let at = 0; at < count; at++) grams[at] = hashOf(text.slice(at, at + 4))
  return grams.sort()
}

/** 32 bits of a text (FNV-1a by Fowler, Noll and Vo, mixed at the end), never 0. */
export function hashOf(text: string, seed = 0x811c9dc5): number {
  let hash = seed
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0 || 1
}

/** The code of Russell and Odell (1918) by which names that sound alike in English are the same; letters of other scripts keep their first three. */
export function soundex(name: string): string {
  if (!/^[a-z ]+$/.test(name)) return name.slice(0, 3)
  let code = ''
  let last = ''
  for (const letter of name) {
    const digit = digitOf(letter)
    if (code === '') code = letter
    else if (digit !== '' && digit !== last) code += digit
    // Between two letters of one sound, h and w are as if they were not there; a vowel parts them.
    if (letter !== 'h' && letter !== 'w') last = digit
    if (code.length === 4) break
  }
  return code.padEnd(4, '0')
}

function digitOf(letter: string): string {
  if ('bfpv'.includes(letter)) return '1'
  if ('cgjkqsxz'.includes(letter)) return '2'
  if ('dt'.includes(letter)) return '3'
  if (letter === 'l') return '4'
  if ('mn'.includes(letter)) return '5'
  return letter === 'r' ? '6' : ''
}
