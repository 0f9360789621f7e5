import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createComparison, type Decided, type LastRow } from './comparison.ts'
import { eventsOf, type Row } from './rows.ts'

/** A source as it remembers, and the events that reached the platform: each message id once, as the pipeline sees to it. */
function aSource() {
  const last = new Map<string, LastRow>()
  const said: { key: string; hash: string }[] = []
  const ids = new Set<string>()
  let runs = 0

  const rowsOf = (key: string) => [...last.values()].filter((row) => row.key === key)
  function apply(decided: readonly Decided[], writtenDown = true): void {
    for (const { row, send } of decided) {
      if (send === undefined) continue
      const [event] = eventsOf(row, send) as { messageId: string }[]
      if (event !== undefined && !ids.has(event.messageId)) {
        ids.add(event.messageId)
        said.push({ key: row.key, hash: row.hash })
      }
      if (writtenDown) last.set(`${send.key} ${String(send.nth)}`, send)
    }
  }
  /** Reads a file of `key:value` cells; killed behind the row `killedAt`, between the journal and the table of last rows, it begins anew. */
  function read(file: readonly string[], killedAt?: number) {
    runs += 1
    const tries = killedAt === undefined ? [file.length + 1] : [killedAt, file.length + 1]
    let all: Decided[] = []
    for (const until of tries) {
      all = []
      const comparison = createComparison(`run ${String(runs)}`)
      for (const [at, cell] of file.slice(0, until).entries()) {
        const [key = ''] = cell.split(':')
        const row: Row = { kind: 'row', line: at + 1, key, hash: cell, events: [{}], consents: [], problems: [] }
        const decided = comparison.next({ line: at + 1, cells: [cell] }, row, new Map([[key, rowsOf(key)]]))
        all.push(...decided)
        apply(decided, at + 1 < until)
      }
      if (until <= file.length) continue
      const { decided, beyond } = comparison.end()
      all.push(...decided)
      apply(decided)
      for (const { key, nth } of beyond)
        for (const row of rowsOf(key)) if (row.nth > nth) last.set(`${key} ${String(row.nth)}`, { ...row, hash: '' })
    }
    return { rows: all.length, sent: all.filter((one) => !one.known).length }
  }
  return { read, said, now: (key: string) => said.findLast((one) => one.key === key)?.hash }
}

describe('a file compared with what was last said', () => {
  it('says again what was said before and changed in between', () => {
    const source = aSource()
    for (const city of ['Paris', 'Lyon', 'Paris']) expect(source.read([`åsa:${city}`])).toEqual({ rows: 1, sent: 1 })
    expect(source.now('åsa')).toBe('åsa:Paris')
    expect(source.read(['åsa:Paris'])).toEqual({ rows: 1, sent: 0 })
  })

  it('says the last row again when the one that came behind it is no longer in the file', () => {
    const source = aSource()
    source.read(['åsa:Paris', 'åsa:Lyon'])
    expect(source.read(['åsa:Paris', 'åsa:Lyon'])).toEqual({ rows: 2, sent: 0 })
    expect(source.read(['åsa:Paris'])).toEqual({ rows: 1, sent: 1 })
    expect(source.now('åsa')).toBe('åsa:Paris')
  })

  const file = fc.array(
    fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2', '3')).map((cell) => cell.join(':')),
    {
      maxLength: 8,
    },
  )
  const kill = fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined })

  it('ends in what its last row of each key says, whatever came before and wherever it was killed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(file, kill), { minLength: 1, maxLength: 5 }), (files) => {
        const source = aSource()
        for (const [cells, killedAt] of files) {
          const { rows } = source.read(cells, killedAt)
          expect(rows).toBe(cells.length)
          for (const key of ['a', 'b', 'c']) {
            const word = cells.findLast((cell) => cell.startsWith(key))
            if (word !== undefined) expect(source.now(key)).toBe(word)
          }
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('stores nothing the second time, and the same as without a kill the first time', () => {
    fc.assert(
      fc.property(fc.array(file, { maxLength: 3 }), file, kill, (before, cells, killedAt) => {
        const [killed, calm] = [aSource(), aSource()]
        for (const earlier of before) for (const source of [killed, calm]) source.read(earlier)
        expect(killed.read(cells, killedAt)).toEqual(calm.read(cells))
        expect(killed.said).toEqual(calm.said)
        const events = killed.said.length
        expect(killed.read(cells)).toEqual({ rows: cells.length, sent: 0 })
        expect(killed.said).toHaveLength(events)
      }),
      { numRuns: 2_000 },
    )
  })
})
