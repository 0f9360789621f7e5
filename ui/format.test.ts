import { describe, expect, it } from 'vitest'
import { readWords, writeWords } from './address.tsx'
import { calledOf, moment, percent, relative } from './format.tsx'

const at = (text: string) => new Date(text).toISOString()

describe('how pages say things', () => {
  it('a moment is said as people say it, by the day of the one who reads', () => {
    const now = new Date('2026-11-24T21:00:00').getTime()
    expect(moment(at('2026-11-24T23:59:00'), now)).toBe('today 23:59')
    expect(moment(at('2026-11-25T00:00:00'), now)).toBe('tomorrow 00:00')
    expect(moment(at('2026-11-23T08:05:00'), now)).toBe('yesterday 08:05')
    expect(moment(at('2026-11-30T10:00:00'), now)).toBe('Monday 10:00')
    expect(moment(at('2026-12-01T10:00:00'), now)).toBe('1 Dec 2026 10:00')
    expect(moment(at('2025-11-24T21:00:00'), now)).toBe('24 Nov 2025 21:00')
  })

  it('how long ago is said in words until it is so long that the day says more', () => {
    const now = Date.parse('2026-11-24T21:00:00Z')
    expect(relative('2026-11-24T21:00:20Z', now)).toBe('in a moment')
    expect(relative('2026-11-24T20:59:40Z', now)).toBe('just now')
    expect(relative('2026-11-24T18:00:00Z', now)).toBe('3 h ago')
    expect(relative('2026-11-27T21:00:00Z', now)).toBe('in 3 days')
    expect(relative('2026-01-02T12:00:00Z', now)).toBe('2 Jan 2026')
  })

  it('somebody without a name is called by the best that is known', () => {
    const id = 'profile_01m87abc3f9'
    expect(calledOf({ id, name: 'Łucja O’Neill', email: 'l@x.example' })).toBe('Łucja O’Neill')
    expect(calledOf({ id, name: '', email: 'l@x.example', phone: '+46 1' })).toBe('l@x.example')
    expect(calledOf({ id, name: '', email: null, phone: '+46 1' })).toBe('+46 1')
    expect(calledOf({ id, name: '', email: null })).toBe('Visitor abc3f9')
  })

  it('a share that is there is never said to be nothing', () => {
    expect(percent(0)).toBe('0%')
    expect(percent(0.0004)).toBe('under 0.1%')
    expect(percent(0.123)).toBe('12%')
  })
})

describe('the address', () => {
  it('holds words as one types them, and leaves out what is empty', () => {
    expect(writeWords({ q: 'a&b=“ö” 100%', before: '17', tab: undefined, only: '' })).toBe(
      '?q=a%26b%3D%E2%80%9C%C3%B6%E2%80%9D+100%25&before=17',
    )
    expect(writeWords({})).toBe('')
    expect(readWords('?before=17&q=true')).toEqual({ before: '17', q: 'true' })
  })

  it('reads what it wrote', () => {
    const words = { q: '1', after: '2026-11-24T21:00:00.000Z profile_x', tab: 'how-we-know' }
    expect(readWords(writeWords(words))).toEqual(words)
  })
})
