import { describe, expect, it } from 'vitest'
import { createLastUsers } from './last-users.ts'
import { turnsOf } from './turns.ts'

const minute = 60_000
const [kiosk, anna, bert] = [1, 2, 3]

describe('a device that people use in turns', () => {
  it('is theirs from each use until the next, for half an hour at most, and its own otherwise', () => {
    const turns = turnsOf(kiosk, [
      { atMs: 10 * minute, user: anna },
      { atMs: 20 * minute, user: anna },
      { atMs: 30 * minute, user: bert },
      { atMs: 200 * minute, user: anna },
    ])
    expect(turns.map(({ since, holder }) => [since.getTime() / minute, holder])).toEqual([
      [0, kiosk],
      [10, anna],
      [30, bert],
      [60, kiosk],
      [200, anna],
      [230, kiosk],
    ])
  })

  it('belongs at once to whoever used it last, when nothing else can come between', () => {
    const users = createLastUsers()
    expect(users.userAt(kiosk, 0)).toBe('unknown')
    expect(users.used(kiosk, anna, 10 * minute)).toBe(false)
    expect(users.userAt(kiosk, 20 * minute)).toBe(anna)
    expect(users.userAt(kiosk, 40 * minute)).toBe(undefined)
    expect(users.userAt(kiosk, 5 * minute)).toBe('unknown')
  })

  it('is worked out anew when somebody turns out to have used it before something that was done on it', () => {
    const users = createLastUsers()
    users.learn(kiosk, { atMs: 10 * minute, user: anna }, 0)
    expect(users.used(kiosk, bert, 15 * minute)).toBe(true)
    users.unnamed(kiosk, 20 * minute)
    expect(users.used(kiosk, anna, 18 * minute)).toBe(false)
    expect(users.used(kiosk, bert, 12 * minute)).toBe(false)
    expect(users.used(kiosk, bert, 25 * minute)).toBe(true)
  })
})
