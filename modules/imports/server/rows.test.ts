import { describe, expect, it } from 'vitest'
import { detectColumns, detectFormat } from '../../../lib/csv/detect.ts'
import { createRecordReader } from '../../../lib/csv/records.ts'
import { guessMeanings } from './meanings.ts'
import { eventsOf, readRow } from './rows.ts'

const crm = [
  'CUST_NO;FIRST NAME;LAST NAME;E-MAIL;PHONE;BIRTH DATE;ZIP;CITY;NOTES',
  '100001;Åsa;O’Brien;ASA@MAIL.EXAMPLE;0046701234567;24.12.1980;21119;Malmö;',
  '100002;Георги;Иванов;;;01.01.1900;1000;София;no e-mail',
  ';;;;;;;;"nobody"',
  '100004;Jo;Müller;jo@nowhere;0049 151;31.02.1990;50667;Köln;',
].join('\n')

function read(text: string) {
  const format = detectFormat(`${text}\n`, 'utf-8')
  const columns = guessMeanings(detectColumns(`${text}\n`, format)).map((column) =>
    column.name === 'BIRTH DATE' ? { ...column, type: 'date' as const } : column,
  )
  const reader = createRecordReader(format.delimiter)
  return [...reader.push(text), ...reader.end()].slice(1).map((record) => readRow(record, columns, format, 'source_1'))
}

describe('a row of a CRM export', () => {
  it('becomes an identify event with its customer number and contact points as identifiers', () => {
    const [first] = read(crm)
    expect(first).toMatchObject({
      kind: 'row',
      problems: [],
      events: [
        {
          type: 'identify',
          traits: {
            firstName: 'Åsa',
            lastName: 'O’Brien',
            email: 'ASA@MAIL.EXAMPLE',
            birthday: '1980-12-24',
            address: { city: 'Malmö', postalCode: '21119' },
          },
          context: { externalIds: [{ type: 'crm_id', id: '100001' }, { type: 'email' }, { type: 'phone' }] },
        },
      ],
    })
    expect(JSON.stringify(first)).not.toContain('NOTES')
  })

  it('is rejected, with the reason, when nothing in it tells who it is about', () => {
    expect(read(crm)[2]).toMatchObject({
      kind: 'rejected',
      line: 4,
      reason: 'no identifier: the row cannot be told to belong to anyone',
    })
  })

  it('goes in without the cells that make no sense, and says which', () => {
    const problems = read(crm).map((row) => row.problems)
    expect(problems[1]).toEqual(['BIRTH DATE: 1900-01-01 stands for “not asked” in old programs'])
    expect(problems[3]).toEqual([
      'E-MAIL: “jo@nowhere” is no e-mail address',
      'PHONE: “0049 151” is no telephone number',
      'BIRTH DATE: “31.02.1990” is no date',
    ])
  })

  it('is the same event every time it is read, and another once a value changed', () => {
    const id = (text: string, generation = 0) =>
      read(text).flatMap((row) => (row.kind === 'row' ? eventsOf(row, { nth: 0, generation }) : []))[0]
    const messageId = { messageId: expect.stringMatching(/^row-/) as string }
    expect(id(crm)).toMatchObject(messageId)
    expect(id(crm)).toEqual(id(crm))
    expect(id(crm.replace('Malmö', 'Göteborg'))).not.toEqual(id(crm))
    expect(id(crm, 1)).not.toEqual(id(crm))
  })
})

describe('a row of a newsletter list', () => {
  it('has no consent in a yes or no that does not say to what', () => {
    for (const name of ['Newsletter', 'opt-in', 'Consent', 'Einwilligung'])
      expect(read(`email;${name}\na@mail.example;yes\nb@mail.example;no\n`)[0]).toMatchObject({ consents: [] })
  })

  it('agrees to several topics in columns of their own, each with file and line as its proof', () => {
    const record = { line: 14, cells: ['ivo@mail.example', 'ja', 'nein', ''] }
    const state = (index: number, topic: string) => ({
      index,
      name: topic,
      type: 'boolean' as const,
      filled: 1,
      samples: [],
      meaning: { kind: 'consent' as const, part: 'state' as const, topic },
    })
    const columns = [
      {
        ...state(0, 'x'),
        name: 'E-MAIL',
        type: 'email' as const,
        meaning: { kind: 'identifier' as const, type: 'email' },
      },
      state(1, 'news'),
      state(2, 'offers'),
      state(3, 'events'),
    ]
    const row = readRow(record, columns, { dateOrder: 'dmy' }, 'source_1', 'Kunden März.csv')
    if (row.kind !== 'row') throw new Error(row.reason)
    expect(row.consents).toEqual([
      { topic: 'news', given: true },
      { topic: 'offers', given: false },
    ])
    const events = eventsOf(row, { nth: 0, generation: 0 }) as { messageId: string; properties?: object }[]
    expect(new Set(events.map((event) => event.messageId)).size).toBe(3)
    expect(events[1]?.properties).toMatchObject({ topic: 'news', proof: 'Kunden März.csv, line 14' })
  })

  it('brings what the person agreed to, with its own time, as an event of its own', () => {
    const list =
      'email,first_name,topic,consent,consent_at,consent_source\nå@mail.example,,offers,given,2024-03-01T10:00:00Z,"shop, checkout"\nb@mail.example,B,news,perhaps,,\n'
    const [given, unclear] = read(list)
    expect(given).toMatchObject({
      events: [
        { type: 'identify' },
        {
          type: 'track',
          event: 'Consent Given',
          timestamp: '2024-03-01T10:00:00.000Z',
          properties: { topic: 'offers', channel: 'email', source: 'shop, checkout' },
        },
      ],
    })
    expect(unclear).toMatchObject({
      events: [{ type: 'identify' }],
      problems: ['consent: “perhaps” is neither given nor withdrawn'],
    })
  })
})
