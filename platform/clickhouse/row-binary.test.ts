import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRowBinary } from '../../lib/row-binary/row-binary.ts'
import { aClickHouse } from '../../test/make/engines.ts'
import type { ClickHouse } from './clickhouse.ts'

type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** One row each: how the engine reads the value back, with the type of every path. */
async function kept(clickhouse: ClickHouse, way: 'text' | 'binary', values: Record<string, Json>[]) {
  await clickhouse.command('TRUNCATE TABLE said')
  const token = `${way} ${String(tokens++)}`
  if (way === 'text') {
    const lines = values.map((value, n) => JSON.stringify([n, value]))
    await clickhouse.insertLines('said', ['n', 'value'], lines, { token })
  } else {
    const rows = createRowBinary(16)
    for (const [n, value] of values.entries()) {
      rows.whole(n)
      expect(rows.json(value)).toBe(true)
    }
    await clickhouse.insertBinary('said', ['n', 'value'], rows.bytes(), { token })
  }
  return clickhouse.query(
    'SELECT toString(said.value) AS value, toString(JSONAllPathsWithTypes(said.value)) AS types FROM said ORDER BY n',
  )
}
let tokens = 0

describe('rows in the binary format', () => {
  let clickhouse: ClickHouse
  beforeAll(async () => {
    clickhouse = await aClickHouse()
    await clickhouse.command('CREATE TABLE said (n UInt64, value JSON) ENGINE = MergeTree ORDER BY n')
    await clickhouse.command(
      `CREATE TABLE plain (text String, name LowCardinality(String), some Array(Tuple(type String, value String)), at DateTime64(3, 'UTC'), flag UInt8, n UInt64) ENGINE = MergeTree ORDER BY n`,
    )
  })

  it('are what they were, empty lines and long texts among them', async () => {
    const texts = ['', '\n\n', 'å'.repeat(41), 'å'.repeat(42), '“'.repeat(5000), 'x\0y', '\ud83d\ude00']
    const rows = createRowBinary(1)
    for (const [n, text] of texts.entries()) {
      rows.text(text)
      rows.text('name')
      rows.count(2)
      for (const one of ['a', text, 'b', '']) rows.text(one)
      rows.whole(n === 0 ? -2_208_988_800_000 : 0x0a0a0a0a0a)
      rows.byte(1)
      rows.whole(n === 1 ? 0x0a0a : Number.MAX_SAFE_INTEGER - 10 + n)
    }
    const columns = ['text', 'name', 'some', 'at', 'flag', 'n']
    await clickhouse.insertBinary('plain', columns, rows.bytes(), { token: 'plain' })
    expect(
      await clickhouse.query('SELECT text, name, some, toString(at) AS at, flag, n FROM plain ORDER BY at, n'),
    ).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((n) => ({
        text: texts[n],
        name: 'name',
        some: [
          { type: 'a', value: texts[n] },
          { type: 'b', value: '' },
        ],
        at: n === 0 ? '1900-01-01 00:00:00.000' : '1971-05-15 01:15:03.050',
        flag: 1,
        n: n === 1 ? '2570' : String(Number.MAX_SAFE_INTEGER - 10 + n),
      })),
    )
  })

  it('say of JSON what the engine would find in its text, type by type', async () => {
    const key = fc.oneof(
      fc.constantFrom('a', 'b', 'price', '', 'c d', '0'),
      fc.string({ unit: 'grapheme', maxLength: 4 }),
    )
    const scalar = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.maxSafeInteger(),
      // A fraction: whole doubles above 2^53 are written with other digits than they have.
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map((value) => value + 0),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('2026-11-25', '2026-11-25T10:00:00Z', '1', 'true', 'null', 'x'.repeat(300)),
    )
    const flat = fc.dictionary(key, scalar, { maxKeys: 4 })
    const lists = fc.oneof(
      fc.array(fc.oneof(fc.constant(null), fc.string()), { maxLength: 4 }),
      fc.array(fc.oneof(fc.constant(null), fc.integer(), fc.double({ noNaN: true, min: -10, max: 10 })), {
        maxLength: 4,
      }),
      fc.array(fc.oneof(fc.constant(null), fc.boolean()), { maxLength: 4 }),
      fc.array(flat, { minLength: 1, maxLength: 4 }),
    )
    const { value } = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, scalar, lists, fc.dictionary(key, tie('value'), { maxKeys: 4 })),
    }))
    const noDots = (one: Json): boolean =>
      typeof one !== 'object' ||
      one === null ||
      (Array.isArray(one)
        ? one.every(noDots)
        : Object.entries(one).every(([name, inner]) => !name.includes('.') && noDots(inner)))
    const objects = fc.dictionary(key, value, { maxKeys: 6 }).filter(noDots)
    await fc.assert(
      fc.asyncProperty(fc.array(objects, { minLength: 20, maxLength: 60 }), async (values) => {
        // As it comes in: read from text, so without -0 and undefined.
        // Each under a name of its own: from text, the engine takes an empty list for what other rows have in its place.
        const named = values.map((one, n) => ({ [`row ${String(n)}`]: one }))
        const read = JSON.parse(JSON.stringify(named)) as Record<string, Json>[]
        expect(await kept(clickhouse, 'binary', read)).toEqual(await kept(clickhouse, 'text', read))
      }),
      { numRuns: 15 },
    )
  })

  it('leave to text what only the engine can tell the type of', () => {
    for (const value of [[1, 'x'], [[1], [2]], [{ a: 1 }, null], [{ a: [{ b: 1 }] }], [1, true]])
      expect(createRowBinary().json({ value }), JSON.stringify(value)).toBe(false)
  })

  it('have no number that nothing can be added to: it is null, as in text', async () => {
    const values = [JSON.parse('{"n":1e999,"m":-1e999,"of":{"n":1e999},"all":[1e999,1,-1e999],"more":2}')] as Record<
      string,
      Json
    >[]
    const [row] = await kept(clickhouse, 'binary', values)
    expect(row).toEqual((await kept(clickhouse, 'text', values))[0])
    expect(row).toMatchObject({ types: "{'all':'Array(Nullable(Int64))','more':'Int64'}" })
  })

  it('keep a whole number that is larger than 64 bits as what a double holds', async () => {
    expect(await kept(clickhouse, 'binary', [{ n: 1e20, most: -(2 ** 62) }])).toEqual([
      { value: '{"most":"-4611686018427387904","n":100000000000000000000}', types: "{'most':'Int64','n':'Float64'}" },
    ])
  })
})
