import { describe, expect, it } from 'vitest'
import { packColumns, valueOf } from './columns.ts'
import { comparerOf } from './compare.ts'
import { kinds, type Kind } from './kinds.ts'

/** The level of two values as written, in words. */
function level(kind: Kind, one: string, other: string): string {
  const packed = packColumns([{ name: kind, kind }])
  packed.add([one])
  packed.add([other])
  const levels = new Uint8Array(1)
  comparerOf(packed.columns()).levelsOf(0, 1, levels)
  const found = levels[0] ?? 0
  return found === 0 ? 'nothing said' : (kinds[kind].words[found - 1] ?? '')
}

describe('the kinds of fields', () => {
  it('fold what is written differently and means the same', () => {
    expect(level('surname', ' MÜLLER ', 'Muller')).toBe('the same')
    expect(level('surname', 'Łukaszewicz', 'lukaszewicz')).toBe('the same')
    expect(level('givenName', 'İbrahim', 'ibrahim')).toBe('the same')
    expect(level('surname', 'Йорданов', 'йорданов')).toBe('the same')
    expect(level('phone', '+49 170 1234567', '0170/1234567')).toBe('the same')
    expect(level('dateOfBirth', '1971-06-24', '24.06.1971')).toBe('the same')
    expect(level('company', 'Hull House, Inc.', 'hull house')).toBe('the same')
    expect(level('website', 'https://www.example.org/about', 'example.org')).toBe('the same')
  })

  it('take what says nothing for neither agreement nor disagreement', () => {
    for (const nothing of ['', '  ', 'n/a', 'NULL', 'unknown', '-'])
      expect(level('surname', nothing, 'smith'), nothing).toBe('nothing said')
    expect(level('dateOfBirth', '1900-01-01', '1900-01-01')).toBe('nothing said')
    expect(level('email', 'no mail', 'no mail')).toBe('nothing said')
  })

  it('know short names, slips and changed digits', () => {
    expect(level('givenName', 'Bill', 'William')).toBe('a short form, or its beginning')
    expect(level('givenName', 'Kasia', 'Katarzyna')).toBe('a short form, or its beginning')
    expect(level('givenName', 'J', 'Jane')).toBe('a short form, or its beginning')
    expect(level('dateOfBirth', '1971-06-24', '1971-06-42')).toBe('one slip apart')
    expect(level('dateOfBirth', '1971-06-24', '1971-11-03')).toBe('the same year, or the same day')
    expect(level('email', 'anna.berg@gmail.com', 'anna.berg@outlook.com')).toBe('the same before the @')
    expect(level('postcode', 'SW1A 2BJ', 'sw1a 2aa')).toBe('the same area')
    expect(level('id', '6988048', '6988049')).toBe('one slip apart')
    expect(level('category', 'male', 'female')).toBe('differs')
  })

  it('know given name and surname that changed places', () => {
    const packed = packColumns([
      { name: 'first', kind: 'givenName' },
      { name: 'last', kind: 'surname' },
    ])
    packed.add(['Mei', 'Zhang'])
    packed.add(['Zhang', 'Mei'])
    packed.add(['Zhang', 'Wu'])
    const all = packed.columns()
    const levels = new Uint8Array(2)
    comparerOf(all).levelsOf(0, 1, levels)
    expect([...levels]).toEqual([3, 3])
    comparerOf(all).levelsOf(0, 2, levels)
    expect([...levels]).toEqual([1, 1])
    expect(valueOf(all, 1, 0)).toBe('zhang')
  })

  it('clean a value that is clean already to itself', () => {
    const written = [
      'Dr. Anna-Lena  Müller',
      '+49 (0)170 1234567',
      '3/4/1980',
      'A.B@C.de',
      'SW1A 2BJ',
      'The Hull House Co.',
      'www.x.org/a',
    ]
    for (const kind of Object.keys(kinds) as Kind[])
      for (const raw of written) {
        const once = kinds[kind].clean(raw)
        expect(kinds[kind].clean(once), `${kind} ${raw}`).toBe(once)
      }
  })
})
