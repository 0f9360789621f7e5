import { describe, expect, it } from 'vitest'
import { cellTypeOf, parseDate, readCell } from './cells.ts'
import { detectColumns, detectEncoding, detectFormat } from './detect.ts'
import { createRecordReader } from './records.ts'

function read(text: string, delimiter = ';', piece = 7) {
  const reader = createRecordReader(delimiter)
  const records = []
  for (let at = 0; at < text.length; at += piece) records.push(...reader.push(text.slice(at, at + piece)))
  return [...records, ...reader.end()]
}

describe('reading a delimited file', () => {
  it('keeps a quoted field with delimiters and line ends in one record, however the file is cut into pieces', () => {
    const text = 'id;note\r\n1;"a; ""b""\nc"\r\n2;x\r\n'
    for (const piece of [1, 2, 3, 100]) {
      expect(read(text, ';', piece)).toEqual([
        { line: 1, cells: ['id', 'note'] },
        { line: 2, cells: ['1', 'a; "b"\nc'] },
        { line: 4, cells: ['2', 'x'] },
      ])
    }
  })

  it('loses one line, not the rest of the file, to a quote that is never closed at row 5,000', () => {
    const lines = [
      'id;name;city',
      ...Array.from({ length: 9_000 }, (_, index) => `${String(index + 1)};"Name ${String(index)}";Köln`),
    ]
    lines[5_000] = '5000;"Siobhán D’Arcy;Köln'
    const records = read(lines.join('\n'), ';', 4_096)
    expect(records).toHaveLength(9_001)
    expect(records.filter((record) => record.problem !== undefined)).toEqual([
      { line: 5_001, cells: ['5000', '"Siobhán D’Arcy', 'Köln'], problem: 'a quote is opened and never closed' },
    ])
  })

  it('reads inches inside a field as inches', () => {
    expect(read('id;size\n1;5" pipe\n2;6" pipe\n')).toEqual([
      { line: 1, cells: ['id', 'size'] },
      { line: 2, cells: ['1', '5" pipe'] },
      { line: 3, cells: ['2', '6" pipe'] },
    ])
  })

  it('says which line has too few columns', () => {
    expect(read('a;b\n1;2\n3\n')[2]).toEqual({ line: 3, cells: ['3'], problem: '1 columns where 2 are expected' })
  })

  it('lets a line without an end go by and goes on behind it, without keeping it', () => {
    const reader = createRecordReader(';')
    const records = [...reader.push('id;name\n1;')]
    const piece = 'x'.repeat(262_144)
    // 200 MB, a quarter of a MiB at a time.
    for (let at = 0; at < 800; at++) records.push(...reader.push(piece))
    records.push(...reader.push('\n2;Åsa\n'), ...reader.end())
    expect(records).toEqual([
      { line: 1, cells: ['id', 'name'] },
      { line: 2, cells: [expect.stringMatching(/^1;/)], problem: 'the line is longer than 1,048,576 characters' },
      { line: 3, cells: ['2', 'Åsa'] },
    ])
    expect(records[1]?.cells[0]?.length).toBeLessThan(300)
  })

  it('names a file that is one endless line', () => {
    for (const head of ['', 'id;name\n']) {
      const reader = createRecordReader(';')
      const before = reader.push(head).length
      for (let at = 0; at < 5; at++) expect(reader.push('a;'.repeat(131_072))).toEqual([])
      expect(reader.end()).toMatchObject([
        { line: before + 1, problem: 'the line is longer than 1,048,576 characters', cells: ['a;'.repeat(100)] },
      ])
    }
  })

  it('parses each line a bounded number of times, however many quotes stand alone', () => {
    const lines = ['a;b', ...Array.from({ length: 20_000 }, () => '"'), '1;"two\nlines"', '3;4']
    const records = read(lines.join('\n'), ';', 262_144)
    expect(records.at(-1)).toMatchObject({ cells: ['3', '4'] })
    expect(records.at(-2)).toMatchObject({ cells: ['1', 'two\nlines'] })
    expect(records.slice(1, -2).every((record) => record.problem !== undefined)).toBe(true)
  })

  it('recognises delimiter, header, encoding and types', () => {
    const sample =
      'CUST_NO;E-MAIL;BIRTH DATE;SPENT\n7;åsa@mail.example;24.12.1980;12,5\n8;jo@mail.example;01.02.1990;3\n9;'
    const format = detectFormat(sample, 'utf-8')
    expect(format).toEqual({ delimiter: ';', encoding: 'utf-8', hasHeader: true, dateOrder: 'dmy' })
    expect(detectColumns(sample, format).map((column) => column.type)).toEqual(['number', 'email', 'date', 'number'])
    expect(detectEncoding(new TextEncoder().encode('Åre'))).toBe('utf-8')
    expect(detectEncoding(Uint8Array.from([0x4b, 0xf6, 0x6c, 0x6e]))).toBe('windows-1252')
    expect(detectEncoding(Uint8Array.from([0xc8, 0xe2, 0xe0, 0xed, 0x20, 0xcf]))).toBe('windows-1251')
  })
})

describe('cells', () => {
  it('knows impossible days and the days that mean nobody asked', () => {
    expect(parseDate('30.02.2020', 'dmy')).toBeUndefined()
    expect(parseDate('3/4/2020', 'mdy')).toBe('2020-03-04')
    expect(readCell('01.01.1900', 'date', 'dmy').problem).toContain('not asked')
  })

  it('says what is wrong with a cell in words', () => {
    expect(readCell('nobody@nowhere', 'email', 'dmy').problem).toBe('“nobody@nowhere” is no e-mail address')
    expect(cellTypeOf(['+46 701 234567', '0049 151 123456'])).toBe('phone')
  })
})
