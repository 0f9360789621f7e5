import { kinds, type Kind, type KindOf } from './kinds.ts'
import { gramsOf, hashOf, lettersOf } from './similarity.ts'

/** A column that is compared. */
export interface Field {
  /** As the file or the source calls it. */
  name: string
  kind: Kind
}

/** The distinct values of a compared column, packed, each under a number. Value 0 is “says nothing”. All arrays are by value, unless they say otherwise. */
export interface Column {
  kind: Kind
  /** How many records have it. */
  counts: Uint32Array
  /** Its text, in `text`. */
  starts: Uint32Array
  lengths: Uint16Array
  text: Uint16Array
  /** Which letters it has, as bits. */
  letters: Uint32Array
  /** A hash of the text: of equal texts in other columns the same. */
  hashes: Uint32Array
  /** Hashes of its parts (kinds), 0 where it has none. */
  parts: Uint32Array
  otherParts: Uint32Array
  /** Its four letters in a row, in `grams`; only where words are compared. */
  gramStarts: Uint32Array
  gramCounts: Uint16Array
  grams: Uint32Array
  /** Hashes of its keys, key after key: key k of value v is at k × values + v; 0 is none. */
  keys: Uint32Array
  values: number
}

/** All records, packed into shared memory, so that threads read them without copying. */
export interface Columns {
  records: number
  columns: Column[]
  /** Numbers of values: column c of record r is at r × columns + c. What is compared at once lies side by side. */
  cells: Uint32Array
}

const mostUnits = 65_535

const sharedWords = (size: number) => new Uint32Array(new SharedArrayBuffer(Math.max(1, size) * 4))
const sharedUnits = (size: number) => new Uint16Array(new SharedArrayBuffer(Math.max(1, size) * 2))

/** Packs records as they come. */
export function packColumns(fields: readonly Field[]) {
  const packers = fields.map(({ kind }) => packColumn(kind))
  const width = fields.length
  let cells = new Uint32Array(1_024 * width)
  let records = 0
  return {
    /** @param row one cell for each field */
    add(row: readonly string[]): void {
      const from = records * width
      if (from + width > cells.length) {
        const wider = new Uint32Array(cells.length * 2)
        wider.set(cells)
        cells = wider
      }
      for (let at = 0; at < width; at++) cells[from + at] = packers[at]?.numberOf(row[at] ?? '') ?? 0
      records += 1
    },
    columns(): Columns {
      const all = sharedWords(records * width)
      all.set(cells.subarray(0, records * width))
      cells = new Uint32Array()
      return { records, columns: packers.map((packer, at) => packer.column(all, width, at)), cells: all }
    },
  }
}

/** Where nearly every value is another, what was written is not worth remembering beside what it means. */
const mostlyNew = 50_000

function packColumn(kind: Kind) {
  const { clean }: KindOf = kinds[kind]
  const numbers = createNumbers()
  const values: string[] = ['']
  numbers.set('', hashOf(''), 0)
  let asked = 0
  return {
    numberOf(raw: string): number {
      asked += 1
      const rawHash = hashOf(raw)
      const known = numbers.get(raw, rawHash)
      if (known !== undefined) return known
      const value = clean(raw)
      const hash = value === raw ? rawHash : hashOf(value)
      let number = value === raw ? undefined : numbers.get(value, hash)
      if (number === undefined) {
        number = values.length
        values.push(value)
        numbers.set(value, hash, number)
      }
      if (value !== raw && (asked < mostlyNew || values.length < asked / 4)) numbers.set(raw, rawHash, number)
      return number
    },
    column(cells: Uint32Array, width: number, at: number): Column {
      return columnOf(kind, values, cells, width, at)
    },
  }
}

/** From texts to numbers. A Map took half as long again, and twice as long for postcodes: texts of digits have hashes there that meet. */
function createNumbers() {
  let slots = 4_096
  /** The place of an entry, from 1; 0 is none. */
  let table = new Uint32Array(slots)
  let hashes = new Uint32Array(slots)
  let numbers = new Uint32Array(slots)
  const texts: string[] = ['']
  const find = (text: string, hash: number): number => {
    let at = hash & (slots - 1)
    for (;;) {
      const entry = table[at] ?? 0
      if (entry === 0 || (hashes[entry] === hash && texts[entry] === text)) return at
      at = (at + 1) & (slots - 1)
    }
  }
  function grow(): void {
    slots *= 2
    const [wider, others] = [new Uint32Array(slots), new Uint32Array(slots)]
    wider.set(hashes)
    others.set(numbers)
    hashes = wider
    numbers = others
    table = new Uint32Array(slots)
    for (let entry = 1; entry < texts.length; entry++) {
      let at = (hashes[entry] ?? 0) & (slots - 1)
      while (table[at] !== 0) at = (at + 1) & (slots - 1)
      table[at] = entry
    }
  }
  return {
    get(text: string, hash: number): number | undefined {
      const entry = table[find(text, hash)] ?? 0
      return entry === 0 ? undefined : numbers[entry]
    },
    set(text: string, hash: number, number: number): void {
      if (texts.length > slots * 0.6) grow()
      const entry = texts.length
      texts.push(text)
      hashes[entry] = hash
      numbers[entry] = number
      table[find(text, hash)] = entry
    },
  }
}

function columnOf(kind: Kind, values: readonly string[], cells: Uint32Array, width: number, place: number): Column {
  const { compare, keys, part, otherPart }: KindOf = kinds[kind]
  const count = values.length
  const byWords = compare.by === 'words'
  const grams = byWords ? values.map((value) => (value === '' ? new Uint32Array() : gramsOf(value))) : []
  const column: Column = {
    kind,
    counts: sharedWords(count),
    starts: sharedWords(count),
    lengths: sharedUnits(count),
    text: sharedUnits(values.reduce((sum, value) => sum + Math.min(mostUnits, value.length), 0)),
    letters: sharedWords(count),
    hashes: sharedWords(count),
    parts: sharedWords(count),
    otherParts: sharedWords(count),
    gramStarts: sharedWords(byWords ? count : 0),
    gramCounts: sharedUnits(byWords ? count : 0),
    grams: sharedWords(grams.reduce((sum, some) => sum + some.length, 0)),
    keys: sharedWords(count * keys.length),
    values: count,
  }
  for (let cell = place; cell < cells.length; cell += width) {
    const value = cells[cell] ?? 0
    column.counts[value] = (column.counts[value] ?? 0) + 1
  }
  const hashOrNone = (text: string) => (text === '' ? 0 : hashOf(text))
  let [units, fours] = [0, 0]
  for (const [at, value] of values.entries()) {
    const length = Math.min(mostUnits, value.length)
    column.starts[at] = units
    column.lengths[at] = length
    for (let unit = 0; unit < length; unit++) column.text[units + unit] = value.charCodeAt(unit)
    units += length
    column.letters[at] = lettersOf(value)
    column.hashes[at] = hashOrNone(value)
    if (value === '') continue
    if (part !== undefined) column.parts[at] = hashOrNone(part(value))
    if (otherPart !== undefined) column.otherParts[at] = hashOrNone(otherPart(value))
    for (const [key, { of }] of keys.entries()) column.keys[key * count + at] = hashOrNone(of(value))
    if (!byWords) continue
    const some = grams[at] ?? new Uint32Array()
    column.gramStarts[at] = fours
    column.gramCounts[at] = Math.min(mostUnits, some.length)
    column.grams.set(some, fours)
    fours += some.length
  }
  return column
}

/** The cleaned value of a record in a column. */
export function valueOf({ cells, columns }: Columns, at: number, record: number): string {
  const column = columns[at]
  const value = cells[record * columns.length + at] ?? 0
  const start = column?.starts[value] ?? 0
  return String.fromCharCode(...(column?.text.subarray(start, start + (column.lengths[value] ?? 0)) ?? []))
}
