import { describe, expect, it } from 'vitest'
import { isBlocked, normalise, priorityOf } from './identifiers.ts'

describe('an identifier', () => {
  it.each([
    [{ type: 'email', value: ' Åsa.O’Brien@Mail.EXAMPLE ' }, 'åsa.o’brien@mail.example'],
    [{ type: 'email', value: 'a+b.c@mail.example' }, 'a+b.c@mail.example'],
    [{ type: 'phone', value: '0046 70-123 45 67' }, '+46701234567'],
    [{ type: 'user_id', value: ' Ｕ１２ ' }, 'U12'],
    [{ type: 'crm_id', value: '00017' }, '00017'],
  ])('%o is one form for what is the same', (identifier, value) => {
    expect(normalise(identifier)?.value).toBe(value)
  })

  it.each([
    '',
    ' ',
    'null',
    'undefined',
    '[object Object]',
    '000-000',
    '-1',
    '{{user.id}}',
    '${id}',
    'TEST@example.org',
    'Guest',
    'NaN',
  ])('“%s” stands for nobody', (value) => {
    expect(isBlocked(value)).toBe(true)
  })

  it('that is no such thing is none', () => {
    expect(normalise({ type: 'email', value: 'jo@nowhere' })).toBeUndefined()
    expect(normalise({ type: 'phone', value: '12' })).toBeUndefined()
  })

  it('is stronger when the company gave it out than when a device did', () => {
    expect(
      ['anonymous_id', 'email', 'crm_id', 'user_id', 'phone'].sort((a, b) => priorityOf(a) - priorityOf(b)),
    ).toEqual(['user_id', 'crm_id', 'email', 'phone', 'anonymous_id'])
  })
})
