import { describe, expect, it } from 'vitest'
import { lookAt, readBody } from './intake.ts'
import { readJson } from './read-json.ts'
import { scan } from './scan.ts'

const look = (text: string) => scan(Buffer.from(text))
const events = (text: string) => {
  const bytes = Buffer.from(text)
  return scan(bytes).events?.map((span) => bytes.toString('utf8', span.from, span.to))
}
async function read(text: string | Buffer) {
  const body = Buffer.from(text)
  return readBody({ body, type: undefined }, lookAt({ body, keys: [] }))
}

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

  it('refuses 100,000 levels and a million keys unparsed: that they are no JSON does not come up', async () => {
    for (const [body, code] of [
      [`{"type":"track","properties":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'too_deep'],
      [`{"type":"track","a":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`, 'too_deep'],
      [
        `{${Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":1`).join(',')}}`.slice(0, 8_000_000),
        'too_many_keys',
      ],
    ]) {
      await expect(read(`${body!} and no JSON`)).rejects.toMatchObject({ code })
    }
  })

  it('puts aside the one event of a batch that is too deep, too wide or too long, and reads the others', async () => {
    const deep = `{"type":"track","p":${'['.repeat(40)}${']'.repeat(40)}}`
    const wide = `{"type":"track","p":{${Array.from({ length: 2001 }, (_, index) => `"${index}":1`).join(',')}}}`
    const long = `{"type":"track","p":"${'x'.repeat(262_144)}"}`
    const good = '{"type":"track","event":"Bought “ñ”"}'
    const { events, envelope } = await read(
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

  it('says that a body is not JSON, wherever it breaks', async () => {
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
      await expect(read(body), String(body)).rejects.toMatchObject({ code: 'malformed_json' })
    }
    for (const body of ['', '7', '"text"', 'null', '{"hello":1}']) {
      await expect(read(body), body).rejects.toMatchObject({ code: 'bad_input' })
    }
  })
})

describe('a body that wants to be work', () => {
  const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`
  const good = '{"type":"track","event":"x","userId":"u"}'
  const wide = (keys: number, events: number) =>
    Array.from(
      { length: events },
      (_, event) => `{${Array.from({ length: keys }, (_, at) => `"k${event}_${at}":1`).join(',')}}`,
    ).join(',')

  it('with two batches is refused: the first would hide from every limit', async () => {
    for (const body of [
      `{"batch":[${deep}],"batch":[${good}]}`,
      `{"batch":[{${wide(100, 1).slice(1, -1)}}],"batch":[${good}]}`,
      `[${deep}],[${good}]`,
    ]) {
      await expect(read(body)).rejects.toMatchObject({ code: 'bad_input' })
    }
  })

  it('is measured as a whole: keys of all events together, what is around them, and how many they are', async () => {
    await expect(read(`{"batch":[${wide(1999, 201)}]}`)).rejects.toMatchObject({ code: 'too_many_keys' })
    await expect(read(`{"context":{"a":"${'x'.repeat(65_536)}"},"batch":[${good}]}`)).rejects.toMatchObject({
      code: 'too_large',
    })
    await expect(
      read(`{"context":{"a":"${'x'.repeat(20_000)}"},"batch":[${Array(2000).fill(good).join(',')}]}`),
    ).rejects.toMatchObject({ code: 'too_large' })
    await expect(read(`{"batch":[${Array(5001).fill(good).join(',')}]}`)).rejects.toMatchObject({ code: 'too_large' })
  })

  it('says its write keys without being parsed', () => {
    const keys = (text: string) => lookAt({ body: Buffer.from(text), keys: ['named'] }).keys
    expect(
      keys(
        '{"batch":[{"writeKey":"first event","p":{"writeKey":"inner"}},{"writeKey":"second"}],"writeKey":" t\\u006fp "}',
      ),
    ).toEqual(['named', 'top', 'first event'])
    expect(keys('{"writeKey":"w","event":"x","properties":{"writeKey":"inner"}} and no JSON')).toEqual(['named', 'w'])
    expect(keys('{"writeKey":{"a":"object"},"traits":{"writeKey":["b"]}}')).toEqual(['named'])
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
