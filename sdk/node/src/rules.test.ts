import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { verdictOf, waitMs } from './backoff.ts'
import { eventOf, mostEventBytes } from './event.ts'
import { settle } from './options.ts'
import { lastWholeLine, lineOf, linesOf } from './spool-lines.ts'
import { fitting, waitInMemory } from './waiting.ts'

/** The pure parts of the client, with the clock stopped. */

const noon = Date.parse('2026-03-10T12:00:00.000Z')
const event = (type: Parameters<typeof eventOf>[0], call: object) =>
  JSON.parse(eventOf(type, call, () => 'new-id', noon).json) as Record<string, unknown>

describe('the pause after a failure', () => {
  it('is anything from nothing to twice as much each time, up to a minute', () => {
    expect([1, 2, 3, 6, 7, 8, 99].map((failures) => waitMs(failures, 1, null, noon))).toEqual([
      1_000, 2_000, 4_000, 32_000, 60_000, 60_000, 60_000,
    ])
    expect(waitMs(7, 0, null, noon)).toBe(0)
    expect(waitMs(2, 0.25, null, noon)).toBe(500)
  })
  it.each([
    ['7', 7_000],
    [' 7 ', 7_000],
    ['0', 500],
    ['Tue, 10 Mar 2026 12:00:09 GMT', 9_000],
    ['Tue, 10 Mar 2026 11:00:00 GMT', 500],
    ['99999999', 3_600_000],
    ['-5', 500],
    ['1.5', 500],
    ['soon', 500],
    ['', 500],
  ])('is never shorter than Retry-After: “%s” asks for so long', (asked, ms) => {
    expect(waitMs(1, 0.5, asked, noon)).toBe(ms)
  })
})

describe('an answer', () => {
  it.each([
    [200, 'taken'],
    [204, 'taken'],
    [301, 'later'],
    [400, 'refused'],
    [401, 'refused'],
    [403, 'refused'],
    [404, 'refused'],
    [408, 'later'],
    [413, 'refused'],
    [429, 'later'],
    [499, 'refused'],
    [500, 'later'],
    [503, 'later'],
  ])('%i about one event means %s', (status, verdict) => {
    expect(verdictOf(status, 1)).toBe(verdict)
  })
  it('400 or 413 about many means that a part of them may be welcome', () => {
    expect([400, 413, 401].map((status) => verdictOf(status, 2))).toEqual(['smaller', 'smaller', 'refused'])
  })
})

describe('a call', () => {
  it('becomes an event in the shape of Segment', () => {
    expect(event('track', { userId: 'åsa', event: 'Köpt', properties: { at: new Date(noon) } })).toEqual({
      type: 'track',
      messageId: 'new-id',
      timestamp: '2026-03-10T12:00:00.000Z',
      userId: 'åsa',
      event: 'Köpt',
      properties: { at: '2026-03-10T12:00:00.000Z' },
    })
    expect(event('alias', { userId: 'a', previousId: 'b', messageId: 'mine' })).toMatchObject({ messageId: 'mine' })
  })
  it.each([
    ['track', { userId: 'a' }, 'needs event'],
    ['track', { userId: 'a', event: ' ' }, 'needs event'],
    ['track', { event: 'x' }, 'needs userId or anonymousId'],
    ['identify', { userId: '' }, 'needs userId or anonymousId'],
    ['group', { userId: 'a' }, 'needs groupId'],
    ['alias', { userId: 'a' }, 'needs previousId'],
    ['alias', { previousId: 'a' }, 'needs userId'],
    ['page', { userId: 'a', timestamp: 'yesterday' }, 'has a timestamp that is no time'],
    ['page', { userId: 'a', properties: { big: 1n } }, 'is no JSON'],
  ] as const)('%s(%o) is refused: it %s', (type, call, because) => {
    expect(() => eventOf(type, call, () => 'id', noon)).toThrow(because)
  })
  it('may say when it happened, and text keeps its offset', () => {
    const at = (timestamp: unknown) => event('page', { userId: 'a', timestamp })['timestamp']
    expect(at(new Date(0))).toBe('1970-01-01T00:00:00.000Z')
    expect(at('2026-03-10T13:00:00+01:00')).toBe('2026-03-10T13:00:00+01:00')
  })
  it('of more than 256 KiB in UTF-8 is refused', () => {
    const bare = Buffer.byteLength(JSON.stringify(event('page', { userId: 'a', properties: { x: '' } })))
    const sized = (bytes: number) =>
      eventOf('page', { userId: 'a', properties: { x: 'a'.repeat(bytes - bare) } }, () => 'new-id', noon).json
    expect(Buffer.byteLength(sized(mostEventBytes))).toBe(mostEventBytes)
    expect(() => sized(mostEventBytes + 1)).toThrow(expect.objectContaining({ code: 'event_too_large' }))
  })
})

describe('options', () => {
  it.each([
    [{ writeKey: ' ' }, 'writeKey is missing'],
    [{ host: 'data.example.com' }, 'host is no address'],
    [{ host: 'ftp://data.example.com' }, 'host is no web address'],
    [{ batchEvents: 0 }, 'batchEvents'],
    [{ intervalMs: 0.5 }, 'intervalMs'],
    [{ spoolBytes: 1_000 }, 'spoolBytes'],
    [{ spool: '' }, 'spool is empty'],
  ])('%o are refused with what is wrong', (options, because) => {
    expect(() => settle({ writeKey: 'key', host: 'https://data.example.com', ...options })).toThrow(because)
  })
  it('name the batch endpoint of the host', () => {
    expect(settle({ writeKey: 'key', host: 'http://localhost:4400/' })).toMatchObject({
      url: 'http://localhost:4400/v1/batch',
      gzip: false,
    })
  })
})

describe('a batch', () => {
  it.each([
    [[], 0],
    [[500], 1],
    [[30, 30, 30], 3],
    [[30, 30, 40], 2],
    [[10, 10, 10, 10], 3],
  ])('of events with %o bytes takes the first %i, when 3 and 100 bytes are the most', (sizes, count) => {
    expect(
      fitting(
        sizes.map((bytes) => ({ bytes })),
        { events: 3, bytes: 100 },
      ),
    ).toBe(count)
  })
})

describe('the queue in memory', () => {
  it('refuses what does not fit, by number and by bytes, and keeps what it has', async () => {
    const few = waitInMemory(2, 1_000)
    await few.push('"1"')
    await few.push('"2"')
    await expect(few.push('"3"')).rejects.toThrow('2 events (6 bytes) wait')
    const small = waitInMemory(100, 5)
    await small.push('"ö"')
    await expect(small.push('"ö"')).rejects.toThrow(expect.objectContaining({ code: 'queue_full' }))
    const batch = await few.next({ events: 1, bytes: 100 })
    expect(batch?.events).toEqual(['"1"'])
    await batch?.done()
    expect([few.events(), few.bytes()]).toEqual([1, 3])
    await few.push('"3"')
  })
})

describe('a spool file', () => {
  const json = fc.array(fc.json({ maxDepth: 1 }), { maxLength: 8 })
  it('reads what was written', () => {
    fc.assert(
      fc.property(json, (texts) => {
        const bytes = Buffer.concat(texts.map(lineOf))
        expect(linesOf(bytes).map((line) => line.json)).toEqual(texts)
        expect(lastWholeLine(bytes)).toBe(bytes.length)
      }),
    )
  })
  it('cut anywhere has exactly the lines that were whole', () => {
    fc.assert(
      fc.property(json, fc.nat(), (texts, where) => {
        const lines = texts.map(lineOf)
        const bytes = Buffer.concat(lines)
        const cut = bytes.subarray(0, bytes.length === 0 ? 0 : where % bytes.length)
        let whole = 0
        let count = 0
        for (const line of lines) {
          if (whole + line.length > cut.length) break
          whole += line.length
          count++
        }
        expect(lastWholeLine(cut)).toBe(whole)
        expect(linesOf(cut.subarray(0, whole)).map((line) => line.json)).toEqual(texts.slice(0, count))
      }),
    )
  })
  it('with a changed byte does not pass for what was written', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.integer({ min: 1, max: 255 }), (text, where, change) => {
        const line = lineOf(text)
        const at = where % (line.length - 1)
        line[at] = (line[at] ?? 0) ^ change
        expect(linesOf(line).map((one) => one.json)).not.toContain(text)
      }),
    )
  })
})
