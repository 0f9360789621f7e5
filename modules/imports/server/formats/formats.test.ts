import { Readable } from 'node:stream'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync, gzipSync } from 'node:zlib'
import ExcelJS from 'exceljs'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../../platform/clock/clock.ts'
import { createFiles, type Files } from '../../../../platform/files/files.ts'
import { createIds, systemRandom } from '../../../../platform/random/random.ts'
import type { Format } from '../../contract.ts'
import { columnsOfTable, detectTable, kinds } from './kinds.ts'
import { tableFile } from './table-file.ts'
import { momentOf } from './xlsx.ts'

const ids = createIds(systemClock, systemRandom)
let folder: string
let files: Files
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'interlock-formats-'))
  files = createFiles(folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Reads a file as an import does: detected, unless `change` corrects it. */
async function read(content: string | Uint8Array, change: Partial<Format> = {}) {
  const id = ids.next('import')
  const bytes = await files.write(id, Readable.from([Buffer.from(content)]), 1e9)
  const file = await tableFile(files, id, bytes)
  const format = { ...(await detectTable(file)), ...change }
  const columns = await columnsOfTable(file, format)
  const names = columns.map((column) => column.name)
  const rows = []
  for await (const some of kinds[format.kind].records(file, format, names, () => undefined)) rows.push(...some)
  return { format, names, columns, cells: rows.map((row) => row.cells), problems: rows.map((row) => row.problem) }
}

describe('JSON, an object a line', () => {
  it('has columns by the names of its keys, those inside of others with dots', async () => {
    const found = await read(
      '{"id":"02826","email":"å@b.example","address":{"city":"Köln"},"tags":["a","b"],"age":7}\n{"id":12345678901234567890,"vip":true,"email":null}\n\n[1]\n{"broken\n',
    )
    expect(found.format).toMatchObject({ kind: 'ndjson', gzip: false })
    expect(found.names).toEqual(['id', 'email', 'address.city', 'tags', 'age', 'vip'])
    expect(found.cells.slice(0, 2)).toEqual([
      ['02826', 'å@b.example', 'Köln', '["a","b"]', '7', ''],
      ['12345678901234567890', '', '', '', '', 'true'],
    ])
    expect(found.problems).toEqual([
      undefined,
      undefined,
      'the line is not a JSON object',
      'the line is not a JSON object',
    ])
  })
  it('with keys that are traps are cells like any other', async () => {
    const found = await read('{"id":"1","__proto__":{"polluted":"yes"},"constructor":"x"}\n')
    expect(found.names).toEqual(['id', '__proto__.polluted', 'constructor'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
  it('nested without end costs its own row', async () => {
    const deep = `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`
    expect((await read(`{"id":"1"}\n${deep}\n{"id":"2"}\n`)).problems.map((one) => one === undefined)).toEqual([
      true,
      false,
      true,
    ])
  })
  it.each(['[{"id":1},{"id":2}]', '{\n  "id": 1\n}\n'])('is refused when it is another JSON: %j', async (text) => {
    await expect(read(text)).rejects.toThrow('one object a line')
  })
})

describe('lines of fixed width', () => {
  const text = [
    'ID    NAME        CITY  ',
    '0001  Åsa Öberg   Malmö ',
    '0002  Bo          Köln  ',
    '',
    '0003  Cy D. Ek',
  ].join('\n')
  it('are cut where all lines have a gap', async () => {
    const found = await read(text)
    expect(found.format).toMatchObject({ kind: 'fixed', starts: [0, 6, 18], hasHeader: true })
    expect(found.names).toEqual(['ID', 'NAME', 'CITY'])
    expect(found.cells).toEqual([
      ['0001', 'Åsa Öberg', 'Malmö'],
      ['0002', 'Bo', 'Köln'],
      ['0003', 'Cy D. Ek', ''],
    ])
  })
  it('are cut where a person says', async () => {
    expect((await read(text, { starts: [0, 3, 6] })).cells[1]).toEqual(['000', '2', 'Bo          Köln'])
  })
  it('are not seen in a file with separators', async () => {
    expect((await read('a; b; c\n1; 2; 3\n4; 5; 6\n')).format.kind).toBe('csv')
  })
})

describe('an Excel workbook', () => {
  async function aBook(change: (book: ExcelJS.Workbook) => void): Promise<Uint8Array> {
    const book = new ExcelJS.Workbook()
    const sheet = book.addWorksheet('Kunden & Käufer')
    sheet.addRow(['ID', 'Name', 'Born', 'Seen', 'Total', 'VIP', 'Note'])
    const row = sheet.addRow([
      '007',
      'Åsa <Öberg>',
      new Date('1980-12-24T00:00:00Z'),
      new Date('2026-01-02T03:04:05Z'),
      12.5,
      true,
      '=HYPERLINK("http://x.example")',
    ])
    row.getCell(3).numFmt = 'dd.mm.yyyy'
    row.getCell(4).numFmt = 'yyyy-mm-dd hh:mm'
    row.getCell(5).numFmt = '#,##0.00 "days"'
    sheet.addRow([
      8,
      { richText: [{ text: 'Bo ' }, { text: 'Ek', font: { bold: true } }] },
      null,
      null,
      { formula: 'E2*2', result: 25 },
    ])
    book.addWorksheet('Second').addRow(['x', 'y'])
    change(book)
    return new Uint8Array(await book.xlsx.writeBuffer())
  }
  it.each([false, true])(
    'gives its days and moments as such, whenever they are counted from (1904: %s)',
    async (date1904) => {
      const found = await read(
        await aBook((book) => {
          book.properties.date1904 = date1904
        }),
      )
      expect(found.format).toMatchObject({
        kind: 'xlsx',
        sheet: 'Kunden & Käufer',
        sheets: ['Kunden & Käufer', 'Second'],
        hasHeader: true,
      })
      expect(found.cells).toEqual([
        [
          '007',
          'Åsa <Öberg>',
          '1980-12-24',
          '2026-01-02T03:04:05.000Z',
          '12.5',
          'true',
          '=HYPERLINK("http://x.example")',
        ],
        ['8', 'Bo Ek', '', '', '25'],
      ])
    },
  )
  it('is read from the sheet that is chosen', async () => {
    const found = await read(await aBook(() => undefined), { sheet: 'Second', hasHeader: false })
    expect(found.cells).toEqual([['x', 'y']])
  })
  it('with a million empty columns is as wide as what is in it', async () => {
    const found = await read(
      await aBook((book) => {
        const cell = book.getWorksheet(1)?.getCell('XFD2')
        if (cell !== undefined) cell.style = { font: { bold: true } }
      }),
    )
    expect(found.names).toHaveLength(7)
  })
  it('knows the days around the leap day that never was', () => {
    expect([1, 59, 61, 45_292, 0.5, 45_292.75].map((days) => momentOf(days, false))).toEqual([
      '1900-01-01',
      '1900-02-28',
      '1900-03-01',
      '2024-01-01',
      '12:00:00',
      '2024-01-01T18:00:00.000Z',
    ])
    expect(momentOf(0, true)).toBe('1904-01-01')
  })
  it('that unpacks without end is refused', async () => {
    const bomb = aZip({
      'xl/workbook.xml': '<workbook><sheets><sheet name="a" r:id="r1"/></sheets></workbook>',
      'xl/_rels/workbook.xml.rels': '<Relationships><Relationship Id="r1" Target="s.xml"/></Relationships>',
      'xl/s.xml': '<sheetData/>',
      'xl/sharedStrings.xml': Buffer.alloc(300 * 1024 ** 2, ' '),
    })
    expect(bomb.length).toBeLessThan(1e6)
    await expect(read(bomb)).rejects.toThrow(/larger than 256 MiB|million characters/)
  })
  it.each([
    ['another archive', () => aZip({ '../../etc/passwd': 'x' }), 'no Excel workbook'],
    ['cut', async () => (await aBook(() => undefined)).slice(0, 2_000), 'damaged'],
    ['nothing but its first bytes', () => Buffer.from('PK\u0003\u0004'), 'damaged'],
  ])('that is %s is refused', async (_what, content, because) => {
    await expect(read(await content())).rejects.toThrow(because)
  })
})

/** An archive by the book, for what no library would write. */
function aZip(parts: Record<string, string | Buffer>): Buffer {
  const all: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, content] of Object.entries(parts)) {
    const packed = deflateRawSync(content)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(8, 8)
    local.writeUInt32LE(packed.length, 18)
    local.writeUInt16LE(name.length, 26)
    all.push(local, Buffer.from(name), packed)
    const central = Buffer.alloc(46)
    central.writeUInt32LE(0x02014b50, 0)
    central.writeUInt16LE(8, 10)
    central.writeUInt32LE(packed.length, 20)
    central.writeUInt16LE(name.length, 28)
    central.writeUInt32LE(offset, 42)
    directory.push(central, Buffer.from(name))
    offset += 30 + name.length + packed.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...all, ...directory, end])
}

describe('a Parquet file', () => {
  const content = () =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: 'id', data: ['a1', 'å2'], type: 'STRING' },
          { name: 'seen', data: [new Date('2026-01-02T03:04:05Z'), null], type: 'TIMESTAMP' },
          { name: 'total', data: [1.25, 2], type: 'DOUBLE' },
          { name: 'orders', data: [9_007_199_254_740_993n, 2n], type: 'INT64' },
          { name: 'never', data: [null, null], type: 'STRING', nullable: true },
        ],
      }),
    )
  it('gives moments, decimals and long numbers as they are', async () => {
    const found = await read(content())
    expect(found.format.kind).toBe('parquet')
    expect(found.names).toEqual(['id', 'seen', 'total', 'orders', 'never'])
    expect(found.cells).toEqual([
      ['a1', '2026-01-02T03:04:05.000Z', '1.25', '9007199254740993', ''],
      ['å2', '', '2', '2', ''],
    ])
  })
  it.each([
    ['cut', () => content().slice(0, 60)],
    ['nothing but its name', () => Buffer.from('PAR1PAR1')],
  ])('that is %s is refused', async (_what, broken) => {
    await expect(read(broken())).rejects.toThrow('cut or damaged')
  })
})

describe('a file that is packed with gzip', () => {
  it('is read as what is in it', async () => {
    const found = await read(gzipSync('CUST_NO;CITY\na;Köln\n'))
    expect(found.format).toMatchObject({ kind: 'csv', gzip: true, delimiter: ';' })
    expect(found.cells).toEqual([['a', 'Köln']])
  })
  it('and cut is refused, not taken for complete', async () => {
    const text = Array.from({ length: 60_000 }, (_, at) => `${String(at)};${String(Math.sin(at))}`).join('\n')
    const packed = gzipSync(`CUST_NO;X\n${text}`)
    await expect(read(packed.subarray(0, packed.length - 100))).rejects.toThrow('cut or damaged')
  })
  it('and unpacks without end is refused', async () => {
    await expect(read(gzipSync(`a;b\n${`1;${'x'.repeat(100_000)}\n`.repeat(700)}`))).rejects.toThrow(
      'unpacks to more than',
    )
  })
})

describe('text in old encodings', () => {
  it('is read as it was written', async () => {
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('CUST_NO;CITY\na;Malmö\n', 'utf16le')])
    expect((await read(utf16)).cells).toEqual([['a', 'Malmö']])
    expect((await read(Buffer.from('CUST_NO;CITY\na;Malmö\n', 'latin1'))).cells).toEqual([['a', 'Malmö']])
  })
})
