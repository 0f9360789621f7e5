import { describe, expect, it } from 'vitest'
import { readMessage } from './messages.ts'

const read = (value: unknown, expected?: 'singer' | 'airbyte') => readMessage(JSON.stringify(value), expected)
const cellsOf = (line: string) => {
  const message = readMessage(line)
  return message.kind === 'record' ? Object.fromEntries(message.cells) : message
}

describe('a line of a Singer tap', () => {
  it('announces a stream with its key, and what is nested is taken apart', () => {
    const schema = {
      properties: {
        id: { type: 'integer' },
        'E-Mail': { type: ['null', 'string'] },
        seit: { anyOf: [{ type: 'null' }, { type: 'string', format: 'date-time' }] },
        address: { type: 'object', properties: { ort: { type: 'string' } } },
      },
    }
    expect(read({ type: 'SCHEMA', stream: 'kunder', schema, key_properties: ['id'] })).toEqual({
      kind: 'schemas',
      schemas: [
        {
          stream: 'kunder',
          key: ['id'],
          properties: [
            { name: 'id', type: 'number' },
            { name: 'E-Mail', type: 'text' },
            { name: 'seit', type: 'date' },
            { name: 'address.ort', type: 'text' },
          ],
        },
      ],
    })
  })

  it('is a record with every value as text, and 64-bit numbers digit by digit', () => {
    const line =
      '{"type":"RECORD","stream":"s","record":{"id":9007199254740993,"next":9007199254740992,"a":{"ort":"Malmö"},"tags":["x"],"no":null,"yes":true}}'
    expect(cellsOf(line)).toEqual({
      id: '9007199254740993',
      next: '9007199254740992',
      'a.ort': 'Malmö',
      tags: '["x"]',
      no: null,
      yes: 'true',
    })
  })

  it('tells its state, a version, or that records are in files, which nobody here can read', () => {
    expect(read({ type: 'STATE', value: { at: 1 } })).toEqual({ kind: 'state', state: { at: 1 }, format: 'singer' })
    expect(read({ type: 'ACTIVATE_VERSION', stream: 's', version: 7 })).toEqual({
      kind: 'version',
      stream: 's',
      version: 7,
    })
    expect(read({ type: 'BATCH', stream: 's', manifest: ['file:///x'] })).toMatchObject({ kind: 'impossible' })
  })
})

describe('a line of an Airbyte source', () => {
  it('is a record of a stream, with its namespace', () => {
    expect(
      read({ type: 'RECORD', record: { stream: 'users', namespace: 'shop', data: { id: 1 }, emitted_at: 1 } }),
    ).toEqual({
      kind: 'record',
      stream: 'shop.users',
      cells: new Map([['id', '1']]),
      version: undefined,
    })
  })

  it('is a catalog, discovered or configured: the key that was chosen goes before that of the source', () => {
    const stream = {
      name: 'users',
      json_schema: { properties: { id: { type: 'integer' } } },
      source_defined_primary_key: [['id']],
    }
    const keys = (streams: unknown[]) => {
      const message = read({ type: 'CATALOG', catalog: { streams } })
      return message.kind === 'schemas' ? message.schemas.map((one) => one.key) : message
    }
    expect(keys([stream])).toEqual([['id']])
    expect(keys([{ stream, primary_key: [['a', 'b']] }])).toEqual([['a.b']])
  })

  it('tells its state as it is, and an error in the words of the source', () => {
    const state = { type: 'STREAM', stream: { stream_descriptor: { name: 'users' }, stream_state: { at: 1 } } }
    expect(read({ type: 'STATE', state })).toEqual({ kind: 'state', state, format: 'airbyte' })
    expect(read({ type: 'TRACE', trace: { type: 'ERROR', error: { message: 'no access' } } })).toEqual({
      kind: 'says',
      text: 'no access',
      bad: true,
    })
    expect(read({ type: 'LOG', log: { level: 'INFO', message: 'x' } })).toEqual({ kind: 'nothing' })
  })
})

it('a line that is no message says why', () => {
  const why = (line: string, expected?: 'singer' | 'airbyte') => {
    const message = readMessage(line, expected)
    return message.kind === 'malformed' ? message.reason : message.kind
  }
  expect(why('INFO syncing')).toBe('no JSON')
  expect(why('{"type":"RECORD","stream":"s","reco')).toBe('no JSON')
  expect(why('[1]')).toBe('no JSON object')
  expect(why('{}')).toBe('no “type”')
  expect(why('{"type":"HELLO"}')).toBe('no message of Singer or Airbyte: HELLO')
  expect(why('{"type":"RECORD","stream":"s"}')).toBe('a RECORD without a record')
  expect(why('{"type":"RECORD","record":{"stream":"s"}}')).toBe('a RECORD without a record')
  expect(why('{"type":"SCHEMA","stream":"s"}')).toBe('a SCHEMA without properties')
  expect(why('{"type":"STATE","value":1}', 'airbyte')).toBe('a message of singer, not of airbyte')
  expect(why('{"type":"RECORD","stream":"s","record":{"id":"\\u0000"}}')).toContain('NUL')
  expect(why('{"type":"RECORD","stream":"s","record":{"id":"\\ud800"}}')).toContain('surrogate')
})
