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
