import { describe, expect, it } from 'vitest'
import { sensitivityOf } from './sensitivity.ts'

describe('how sensitive a field is', () => {
  it.each([
    ['allergies', 4],
    ['card_number', 4],
    ['personnummer', 4],
    ['lastOrderValue', 3],
    ['birthday', 3],
    ['firstName', 2],
    ['address.city', 2],
    ['e_mail', 2],
    ['crm_id', 1],
    ['language', 1],
    ['favouriteColour', 1],
  ] as const)('%s: %i', (name, level) => {
    expect(sensitivityOf(name)).toBe(level)
  })

  it('is told by its values too, whatever its name', () => {
    expect(sensitivityOf('note', ['DE89 3704 0044 0532 0130 00'])).toBe(4)
    expect(sensitivityOf('note', ['4111 1111 1111 1111'])).toBe(4)
    expect(sensitivityOf('note', ['jo@mail.example'])).toBe(2)
    expect(sensitivityOf('note', ['likes linen', '4111 1111 1111 1112'])).toBe(1)
  })
})
