import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitByTheBook } from './split.ts'

describe('a record that is quoted by the book', () => {
  it('is split as a full parser splits it, and everything else is left to that one', () => {
    const piece = fc.constantFrom('a', 'Å', '"', '""', ';', ',', '\n', ' ', '')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        const cells = splitByTheBook(text, ';')
        if (cells === undefined || text === '') return
        const options = { delimiter: ';', relax_column_count: true, record_delimiter: [] as string[] }
        expect([cells]).toEqual(parse(text, options))
      }),
      { numRuns: 2_000 },
    )
  })
  it('keeps doubled quotes, separators and line ends inside of quotes', () => {
    expect(splitByTheBook('"5"" pipe";"a;b";"two\nlines";', ';')).toEqual(['5" pipe', 'a;b', 'two\nlines', ''])
    expect(splitByTheBook('5" pipe;b', ';')).toBeUndefined()
    expect(splitByTheBook('"open;b', ';')).toBeUndefined()
  })
})
