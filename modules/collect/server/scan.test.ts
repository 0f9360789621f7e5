import { describe, expect, it } from 'vitest'
import { readBody } from './intake.ts'
import { readJson } from './read-json.ts'
import { scan } from './scan.ts'

const look = (text: string) => scan(Buffer.from(text))
const events = (text: string) => {
  const bytes = Buffer.from(text)
  return scan(bytes).events?.map((span) => bytes.toString('utf8', span.from, span.to))
}
const read = (text: string | Buffer) => readBody({ body: Buffer.from(text), type: undefined, keys: [] })

describe('a look at the bytes before they are parsed', () => {
  it('finds the events of a batch, wherever the array stands and whatever is in the text', () => {
    expect(
      events('{"a":{"batch":[9]},"batch" : [ {"x":"]}\\"{"} ,{"y":[1,{"batch":[2]}]}, 3,"four\\\\" ],"sentAt":"}"}'),
    ).toEqual(['{"x":"]}\\"{"}', '{"y":[1,{"batch":[2]}]}', '3', '"four\\\\"'])
    expect(events('[{"a":1},\n{"b":2}\n]')).toEqual(['{"a":1}', '{"b":2}'])
    expect(events('{"batch":[]}')).toEqual([])
    expect(events('{"track":{"batch":[1]}}')).toBeUndefined()
  })

  it('counts levels and keys per event, and apart from them of the envelope', () => {
    const { depth, keys, events } = look('{"context":{"a":{"b":1}},"batch":[{"a":1,"b":[[{"c":2}]]},{}]}')
    expect({ depth, keys }).toEqual({ depth: 3, keys: 4 })
    expect(events?.map((one) => [one.depth, one.keys])).toEqual([
      [4, 3],
      [1, 0],
    ])
  })

  it('answers 100,000 levels and a million keys within milliseconds', () => {
    for (const [body, code] of [
      [`{"type":"track","properties":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'too_deep'],
      [`{"type":"track","a":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`, 'too_deep'],
      [
        `{${Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":1`).join(',')}}`.slice(0, 8_000_000),
        'too_many_keys',
      ],
    ]) {
      const began = performance.now()
      expect(() => read(body!)).toThrow(expect.objectContaining({ code }))
      expect(performance.now() - began).toBeLessThan(100)
    }
  })

  it('puts aside the one event of a batch that is too deep, too wide or too long, and reads the others', () => {
    const deep = `{"type":"track","p":${'['.repeat(40)}${']'.repeat(40)}}`
    const wide = `{"type":"track","p":{${Array.from({ length: 2001 }, (_, index) => `"${index}":1`).join(',')}}}`
    const long = `{"type":"track","p":"${'x'.repeat(262_144)}"}`
    const good = '{"type":"track","event":"Bought “ñ”"}'
    const { events, envelope } = read(
      `{"sentAt":"2026-01-01T00:00:00Z","batch":[${[good, deep, wide, good, long].join(',')}]}`,
    )
    expect(events.map((one) => one.fault)).toEqual([
      undefined,
      'too_deep',
      'too_many_keys',
      undefined,
      'event_too_large',
    ])
    expect(events[3]?.value).toEqual({ type: 'track', event: 'Bought “ñ”' })
    expect(envelope).toEqual({ sentAt: '2026-01-01T00:00:00Z' })
  })

  it('says that a body is not JSON, wherever it breaks', () => {
    for (const body of [
      '{"batch":[{"a":1}',
      '{"batch":[{"a":1]}',
      '{"batch":[{"a":1} {"b":2}]}',
      '{"batch":[{"a":01}]}',
      '{"a":"\n"}',
      '{"a":1}}',
      'null x',
      '<xml/>',
      Buffer.from('{"a":1}', 'utf16le'),
    ]) {
      expect(() => read(body), String(body)).toThrow(expect.objectContaining({ code: 'malformed_json' }))
    }
    for (const body of ['', '7', '"text"', 'null', '{"hello":1}']) {
      expect(() => read(body), body).toThrow(expect.objectContaining({ code: 'bad_input' }))
    }
  })
})

describe('JSON from outside', () => {
  it('has no key that reaches the prototype, however it is spelled', () => {
    const value = readJson(
      Buffer.from(
        '{"__proto__":{"x":1},"\\u005f_proto__":{"x":1},"a":{"constructor":{"prototype":{"x":1}},"constructor ":1}}',
      ),
    )
    expect(value).toEqual({ a: { 'constructor ': 1 } })
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  it('has text that every store takes: no NUL, no half of a pair, no bytes that are not UTF-8', () => {
    expect(readJson(Buffer.from('{"a\\u0000b":"x\\u0000y","c":"\\ud83d","d":"\\ud83d\\ude00"}'))).toEqual({
      ab: 'xy',
      c: '\ufffd',
      d: '😀',
    })
    const broken = Buffer.concat([
      Buffer.from('"a'),
      Buffer.from([0xff, 0xc0, 0xaf, 0xed, 0xa0, 0x80]),
      Buffer.from('b"'),
    ])
    expect(readJson(broken)).toMatch(/^a\ufffd+b$/)
    expect(readJson(Buffer.from('\ufeff{"a":1}'))).toEqual({ a: 1 })
  })

  it('keeps every digit of a number that a double cannot hold', () => {
    expect(
      readJson(Buffer.from('{"userId":12345678901234567890,"n":1234567890123456,"f":0.1234567890123456789}')),
    ).toEqual({
      userId: '12345678901234567890',
      n: 1_234_567_890_123_456,
      f: 0.123_456_789_012_345_68,
    })
  })
})
