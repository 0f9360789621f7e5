import { hash } from 'node:crypto'
import type { Identifier } from '../../../lib/identifiers/identifiers.ts'
import type { Standing } from './standing.ts'

/** 128 bits of a profile's id, as four words; all zero: none. */
export type ProfileWords = readonly [number, number, number, number]

/**
 * Who is who, in memory: every identifier by its number, packed into 44 bytes and a slot of a hash table, because a V8 Map ends at 16.7 million entries and
 * takes 250 bytes for each. What an identifier says is not kept, only 96 bits of its SHA-256: nobody can find another one with the same.
 * Identifiers of one person are a ring; one of them is the owner, whose profile id is the person's.
 */
export interface Graph {
  /** @returns its number; 0 when it is not known */
  find(identifier: Identifier): number
  /** Adds an identifier as a person of its own, with the next number. */
  add(identifier: Identifier, profile: ProfileWords | undefined, standing: Standing, atMs: number): number
  /** Adds one that the store knows. Numbers come in order; some may be missing. After the last one, `loaded`. */
  load(
    no: number,
    identifier: Identifier,
    is: { owner: number; profile: ProfileWords | undefined; standing: Standing; shared: boolean; atMs: number },
  ): void
  /** Makes the rings, once all are there. */
  loaded(): void
  /** Whether there is room for a type: a public write key can name any, and there are at most 60,000. */
  canHold(type: string): boolean
  typeOf(no: number): string
  standingOf(no: number): Standing
  isShared(no: number): boolean
  /** Of an owner: whether something was refused or decided about this person. Then the order of what was seen matters. */
  isContended(owner: number): boolean
  firstMsOf(no: number): number
  setStanding(no: number, standing: Standing): void
  setShared(no: number, shared: boolean): void
  setContended(owner: number, contended: boolean): void
  setFirstMs(no: number, atMs: number): void
  /** The profile id that an identifier brought; undefined when it was met as part of somebody. */
  bornOf(no: number): ProfileWords | undefined
  setBorn(no: number, profile: ProfileWords | undefined): void
  /** The identifier whose profile id is the person's. Two identifiers are one person's when they have the same. */
  ownerOf(no: number): number
  /** All identifiers of the person, this one first. */
  members(no: number): Generator<number>
  /** Makes these the identifiers of one person, whosever they were; `owner` is one of them. Whoever is left behind must be put too. */
  put(members: readonly number[], owner: number): void
  /** Makes one person of two. */
  unite(owner: number, other: number): void
  /** From now on what is changed can be taken back. */
  begin(): void
  commit(): void
  rollback(): void
  clear(): void
  /** The highest number. */
  readonly last: number
  /** How many are known. */
  readonly size: number
}

const stride = 11
const [HASH, OWNER, NEXT, BORN, AT, FLAGS] = [0, 3, 4, 5, 9, 10]
const perChunk = 1 << 16
const mostTypes = 60_000
const [STANDING, SHARED, CONTENDED] = [0x3_0000, 0x4_0000, 0x8_0000]
/** The first instant in milliseconds has 42 bits: the upper ten stand beside the flags. */
const atShift = 20

/** An empty graph. */
export function createGraph(): Graph {
  let chunks: Uint32Array[] = []
  let slots = new Uint32Array(1 << 12)
  let last = 0
  let size = 0
  const types: string[] = []
  const codes = new Map<string, number>()
  let undo: { added: number; words: number[] } | undefined

  const word = (no: number, field: number): number =>
    chunks[Math.floor(no / perChunk)]?.[(no % perChunk) * stride + field] ?? 0
  function write(no: number, field: number, value: number): void {
    const chunk = chunks[Math.floor(no / perChunk)]
    if (chunk === undefined) return
    const at = (no % perChunk) * stride + field
    undo?.words.push(no, field, chunk[at] ?? 0)
    chunk[at] = value
  }
  const flag = (no: number, bits: number, value: number) => {
    write(no, FLAGS, ((word(no, FLAGS) & ~bits) | value) >>> 0)
  }

  function hashOf({ type, value }: Identifier): Buffer {
    return hash('sha256', `${type}\u0000${value}`, 'buffer').subarray(0, 12)
  }
  /** Where it is in the table, or where it would go. */
  function slotOf(bytes: Buffer): number {
    const [h0, h1, h2] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(8)]
    const mask = slots.length - 1
    let slot = h0 & mask
    for (let no = slots[slot] ?? 0; no !== 0; no = slots[slot] ?? 0) {
      if (word(no, HASH) === h0 && word(no, HASH + 1) === h1 && word(no, HASH + 2) === h2) break
      slot = (slot + 1) & mask
    }
    return slot
  }
  function grow(): void {
    slots = new Uint32Array(slots.length * 2)
    const mask = slots.length - 1
    for (let no = 1; no <= last; no++) {
      if (word(no, OWNER) === 0) continue
      let slot = word(no, HASH) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = no
    }
  }
  function codeOf(type: string): number {
    let code = codes.get(type)
    if (code === undefined) {
      code = types.length
      types.push(type)
      codes.set(type, code)
    }
    return code
  }
  function insert(no: number, identifier: Identifier): void {
    while (no >= chunks.length * perChunk) chunks.push(new Uint32Array(perChunk * stride))
    if (size * 4 >= slots.length * 3) grow()
    const bytes = hashOf(identifier)
    for (let at = 0; at < 3; at++) write(no, HASH + at, bytes.readUInt32LE(at * 4))
    slots[slotOf(bytes)] = no
    write(no, OWNER, no)
    write(no, NEXT, no)
    write(no, FLAGS, codeOf(identifier.type))
    last = no
    size += 1
  }
  const wordsOf = (no: number): ProfileWords => [
    word(no, BORN),
    word(no, BORN + 1),
    word(no, BORN + 2),
    word(no, BORN + 3),
  ]

  const graph: Graph = {
    find: (identifier) => slots[slotOf(hashOf(identifier))] ?? 0,
    canHold: (type) => codes.has(type) || types.length < mostTypes,
    add(identifier, profile, standing, atMs) {
      const no = last + 1
      insert(no, identifier)
      graph.setBorn(no, profile)
      graph.setStanding(no, standing)
      graph.setFirstMs(no, atMs)
      if (undo !== undefined) undo.added += 1
      return no
    },
    load(no, identifier, { owner, profile, standing, shared, atMs }) {
      insert(no, identifier)
      write(no, OWNER, owner)
      graph.setBorn(no, profile)
      graph.setStanding(no, standing)
      graph.setShared(no, shared)
      graph.setFirstMs(no, atMs)
    },
    loaded() {
      for (let no = 1; no <= last; no++) {
        const owner = word(no, OWNER)
        if (owner === 0 || owner === no) continue
        write(no, NEXT, word(owner, NEXT))
        write(owner, NEXT, no)
      }
    },
    typeOf: (no) => types[word(no, FLAGS) & 0xffff] ?? '',
    standingOf: (no) => ((word(no, FLAGS) & STANDING) >>> 16) as Standing,
    isShared: (no) => (word(no, FLAGS) & SHARED) !== 0,
    isContended: (no) => (word(no, FLAGS) & CONTENDED) !== 0,
    firstMsOf: (no) => (word(no, FLAGS) >>> atShift) * 2 ** 32 + word(no, AT),
    setStanding: (no, standing) => {
      flag(no, STANDING, standing << 16)
    },
    setShared: (no, shared) => {
      flag(no, SHARED, shared ? SHARED : 0)
    },
    setContended: (owner, contended) => {
      if (graph.isContended(owner) !== contended) flag(owner, CONTENDED, contended ? CONTENDED : 0)
    },
    setFirstMs(no, atMs) {
      const ms = Math.min(Math.max(0, Math.floor(atMs)), 2 ** 42 - 1)
      write(no, AT, ms % 2 ** 32)
      flag(no, 0x3ff << atShift, (Math.floor(ms / 2 ** 32) & 0x3ff) << atShift)
    },
    bornOf(no) {
      const words = wordsOf(no)
      return words.every((part) => part === 0) ? undefined : words
    },
    setBorn(no, profile) {
      for (let at = 0; at < 4; at++) write(no, BORN + at, profile?.[at] ?? 0)
    },
    ownerOf: (no) => word(no, OWNER),
    *members(no) {
      let at = no
      do {
        yield at
        at = word(at, NEXT)
      } while (at !== no && at !== 0)
    },
    put(members, owner) {
      members.forEach((no, at) => {
        write(no, OWNER, owner)
        write(no, NEXT, members[(at + 1) % members.length] ?? no)
      })
    },
    unite(owner, other) {
      // Two rings become one when two of them swap who comes next.
      for (const no of graph.members(other)) write(no, OWNER, owner)
      const [next, otherNext] = [word(owner, NEXT), word(other, NEXT)]
      write(owner, NEXT, otherNext)
      write(other, NEXT, next)
    },
    begin() {
      undo = { added: 0, words: [] }
    },
    commit() {
      undo = undefined
    },
    rollback() {
      const back = undo
      undo = undefined
      if (back === undefined) return
      // Backwards, so that what was put last into the table leaves it first and no search is cut short.
      for (let n = 0; n < back.added; n++) {
        const bytes = Buffer.alloc(12)
        for (let at = 0; at < 3; at++) bytes.writeUInt32LE(word(last, HASH + at), at * 4)
        slots[slotOf(bytes)] = 0
        last -= 1
        size -= 1
      }
      const { words } = back
      for (let at = words.length - 3; at >= 0; at -= 3) write(words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0)
    },
    clear() {
      chunks = []
      slots = new Uint32Array(1 << 12)
      last = 0
      size = 0
      undo = undefined
    },
    get last() {
      return last
    },
    get size() {
      return size
    },
  }
  return graph
}
