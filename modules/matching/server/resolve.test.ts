import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { people } from '../../../bench/match/people.ts'
import { qualityOf } from '../../../lib/linkage/measure.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { fileAt } from '../../../platform/files/files.ts'
import { openTable } from '../../imports/server/index.ts'
import { explainPair } from './explain.ts'
import { recogniseColumns } from './recognise.ts'
import { resolveReport } from './report.ts'
import { resolveTables, type ResolveOptions, type ResolveTable } from './resolve.ts'

const shared = join(import.meta.dirname, '../../../../shared/data/er')
const tableOf = (columns: string[], rows: string[][], name = 'rows'): ResolveTable => ({
  name,
  columns,
  async *rows() {
    yield await Promise.resolve(rows)
  },
})
const resolve = (tables: readonly ResolveTable[], options: Partial<ResolveOptions> = {}) =>
  resolveTables(tables, { clock: systemClock, ...options })

async function shareOf(file: string) {
  const path = join(shared, file)
  const table = await openTable(fileAt(path), statSync(path).size)
  const resolved = await resolve(
    [
      {
        name: file,
        columns: table.columns.map(({ name }) => name),
        async *rows() {
          for await (const some of table.records()) yield some.map(({ cells }) => cells)
        },
      },
    ],
    { truth: 'cluster' },
  )
  return qualityOf(resolved.clusters, resolved.truth ?? [])
}

const columns = ['first_name', 'last_name', 'dob', 'email', 'phone', 'zip', 'city']
const cells = (count: number, seed = 1) =>
  Array.from(people(count, seed), (one) => ({
    person: String(one.person),
    row: [one.givenName, one.surname, one.dateOfBirth, one.email, one.phone, one.postcode, one.city],
  }))

describe('resolving rows', () => {
  it('finds who is who among people with slips, short names and gaps, with nothing set by hand', async () => {
    const rows = cells(6_000)
    const resolved = await resolve([
      tableOf(
        columns,
        rows.map(({ row }) => row),
      ),
    ])
    const quality = qualityOf(
      resolved.clusters,
      rows.map(({ person }) => person),
    )
    expect(quality.f1).toBeGreaterThan(0.96)
    expect(quality.precision).toBeGreaterThan(0.96)
    expect(resolved.model.untrained).toEqual([])
  })

  it('links two files that name each person once, and joins no two rows of one file', async () => {
    const rows = cells(4_000, 9)
    const [left, right] = [new Map<string, string[]>(), new Map<string, string[]>()]
    for (const { person, row } of rows)
      if (!left.has(person)) left.set(person, row)
      else if (!right.has(person)) right.set(person, row)
    const truth = [...left.keys(), ...right.keys()]
    const resolved = await resolve([tableOf(columns, [...left.values()]), tableOf(columns, [...right.values()])], {
      link: true,
    })
    const quality = qualityOf(resolved.clusters, truth)
    expect(quality.largest).toBe(2)
    expect(quality.f1).toBeGreaterThan(0.95)
  })

  it('does the same in threads as alone', async () => {
    const rows = cells(5_200, 4)
    const [one, other] = [
      await resolve([
        tableOf(
          columns,
          rows.map(({ row }) => row),
        ),
      ]),
      await resolve([
        tableOf(
          columns,
          rows.map(({ row }) => row),
        ),
      ]),
    ]
    expect([...one.clusters]).toEqual([...other.clusters])
  })

  it('explains a pair: the weights of its fields and the prior add up to its odds', async () => {
    const rows = cells(3_000, 2)
    const resolved = await resolve([
      tableOf(
        columns,
        rows.map(({ row }) => row),
      ),
    ])
    const at = resolved.links.weight.indexOf(Math.max(...resolved.links.weight))
    const [left, right] = [resolved.links.left[at] ?? 0, resolved.links.right[at] ?? 0]
    const explained = explainPair(resolved, left, right)
    expect(explained.weight).toBeCloseTo(resolved.links.weight[at] ?? 0, 2)
    expect(explained.fields.reduce((sum, field) => sum + field.weight, explained.prior)).toBeCloseTo(
      explained.weight,
      9,
    )
    expect(explained.probability).toBeGreaterThan(0.99)
    expect(() => explainPair(resolved, 0, 3_000)).toThrow(Refusal)
  })

  it('writes a report that holds no text of the data as HTML', async () => {
    const rows = cells(2_000, 3).map(({ row }) => row)
    const resolved = await resolve([tableOf(['<b>first_name</b>', ...columns.slice(1)], rows)])
    const page = resolveReport(resolved, '<script>', undefined)
    expect(page).not.toContain('<script>')
    expect(page).not.toContain('<b>first_name</b>')
    expect(page).toContain('What each level weighs')
  })

  it('puts rows together that say the same in everything, where there are too few to learn from', async () => {
    const rows = [
      ['Anna', 'Berg', '', 'a@b.example', '', '', ''],
      ['Otto', 'Kral', '', 'o@k.example', '', '', ''],
      ['ANNA', 'Berg', '', 'A@b.example', '', '', ''],
    ]
    const resolved = await resolve([tableOf(columns, rows)])
    expect([...resolved.clusters]).toEqual([0, 1, 0])
    expect(resolved.model.untrained).toHaveLength(resolved.fields.length)
  })

  it('refuses what cannot be resolved, and says what would do', async () => {
    await expect(resolve([tableOf(['id'], [['1'], ['2']])])).rejects.toThrow('No column says anything')
    await expect(resolve([tableOf(columns, [])])).rejects.toThrow(Refusal)
    await expect(
      resolve(
        [
          tableOf(
            columns,
            cells(10).map(({ row }) => row),
          ),
        ],
        { truth: 'person' },
      ),
    ).rejects.toThrow('There is no column person')
    await expect(
      resolve(
        Array.from({ length: 256 }, () => tableOf(columns, [])),
        { link: true },
      ),
    ).rejects.toThrow('At most 255 files')
    const stopped = new AbortController()
    stopped.abort()
    await expect(
      resolve(
        [
          tableOf(
            columns,
            cells(10).map(({ row }) => row),
          ),
        ],
        { signal: stopped.signal },
      ),
    ).rejects.toThrow()
  })

  it('recognises columns by their names in several languages, and by what is in them', () => {
    const kindOf = (name: string, samples: string[]) => {
      const [found] = recogniseColumns([{ name, samples, filled: 1 }])
      return found !== undefined && 'kind' in found ? found.kind : undefined
    }
    expect(kindOf('Vorname', ['Anna', 'Jan'])).toBe('givenName')
    expect(kindOf('nazwisko', ['Nowak', 'Kowalska'])).toBe('surname')
    expect(kindOf('date_of_birth', ['19081209', '19990219'])).toBe('dateOfBirth')
    expect(kindOf('PLZ', ['10115', '20095'])).toBe('postcode')
    expect(kindOf('contact', ['a b', 'c d'])).toBe('fullName')
    expect(kindOf('x1', ['a@b.de', 'c@d.de'])).toBe('email')
    expect(kindOf('x2', ['1980-01-02', '1990-03-04'])).toBe('dateOfBirth')
    expect(kindOf('id', ['1', '2'])).toBeUndefined()
  })
})

describe.skipIf(!existsSync(shared))('resolving data that nobody here made, with one default', () => {
  it.each([
    ['febrl1.csv', 0.995],
    ['febrl3.csv', 0.995],
    ['fake_1000.csv', 0.9],
    ['historical_50k.csv.gz', 0.86],
    ['chicago_sites.csv', 0.85],
  ])('%s is found with an F1 of at least %d', { timeout: 120_000 }, async (file, least) => {
    expect((await shareOf(file)).f1).toBeGreaterThanOrEqual(least)
  })
})
