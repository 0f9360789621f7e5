/** What is remembered of a key while its file is read. */
export interface Remembered {
  nth: number
  /** Of the row's hash, 64 bits. */
  hash: readonly [number, number]
  sent: boolean
}

/**
 * A map from keys to what is remembered of them, in 20 bytes for each slot: a JavaScript Map of a million keys takes 250 MB. Open addressing over 64 bits
 * of the key (two that share them meet once in 10⁷ files of a million rows; then a row counts as the second of its key, and is sent under another message id).
 * @param most keys; beyond them nothing new is remembered
 */
export function createKeyTable(most: number) {
  let slots = 4_096
  let words = new Uint32Array(slots * 5)
  let size = 0

  /** @returns where the key is, or where it would be */
  function find(table: Uint32Array, count: number, high: number, low: number): number {
    let at = low & (count - 1)
    for (;;) {
      const word = at * 5
      const held = table[word + 4] ?? 0
      if (held === 0 || (table[word] === high && table[word + 1] === low)) return word
      at = (at + 1) & (count - 1)
    }
  }
  function grow(): void {
    const bigger = new Uint32Array(slots * 10)
    for (let word = 0; word < words.length; word += 5) {
      if (words[word + 4] === 0) continue
      bigger.set(words.subarray(word, word + 5), find(bigger, slots * 2, words[word] ?? 0, words[word + 1] ?? 0))
    }
    slots *= 2
    words = bigger
  }

  return {
    get(key: string): Remembered | undefined {
      const [high, low] = bitsOf(key)
      const word = find(words, slots, high, low)
      const held = words[word + 4] ?? 0
      if (held === 0) return undefined
      // From 1, so that 0 is an empty slot.
      return { nth: (held >>> 1) - 1, sent: (held & 1) === 1, hash: [words[word + 2] ?? 0, words[word + 3] ?? 0] }
    },
    set(key: string, { nth, hash, sent }: Remembered): void {
      const [high, low] = bitsOf(key)
      let word = find(words, slots, high, low)
      if (words[word + 4] === 0) {
        if (size >= most) return
        size += 1
        if (size > slots * 0.6) {
          grow()
          word = find(words, slots, high, low)
        }
      }
      words[word] = high
      words[word + 1] = low
      words[word + 2] = hash[0]
      words[word + 3] = hash[1]
      words[word + 4] = ((nth + 1) << 1) | (sent ? 1 : 0)
    },
  }
}

/** 64 bits of a text (cyrb53 by bryc, public domain, with all bits of both halves). */
export function bitsOf(text: string): readonly [number, number] {
  let first = 0xdeadbeef
  let second = 0x41c6ce57
  for (let at = 0; at < text.length; at++) {
    const letter = text.charCodeAt(at)
    first = Math.imul(first ^ letter, 2654435761)
    second = Math.imul(second ^ letter, 1597334677)
  }
  first = Math.imul(first ^ (first >>> 16), 2246822507) ^ Math.imul(second ^ (second >>> 13), 3266489909)
  second = Math.imul(second ^ (second >>> 16), 2246822507) ^ Math.imul(first ^ (first >>> 13), 3266489909)
  return [second >>> 0, first >>> 0]
}
