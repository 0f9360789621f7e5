import { describe, expect, it } from 'vitest'
import { noPasskeysHere, passkeyTrouble } from './passkeys.ts'

describe('a passkey', () => {
  const at = (address: string) => noPasskeysHere(new URL(address))

  it('is not made under an address made of numbers; on this machine the same page by its name is offered', () => {
    expect(at('http://127.0.0.1:4400/settings?tab=you')).toMatchObject({
      href: 'http://localhost:4400/settings?tab=you',
    })
    expect(at('http://[::1]:4400/settings')).toMatchObject({ href: 'http://localhost:4400/settings' })
    expect(at('https://192.0.2.7/settings')).toEqual({
      says: expect.stringContaining('open this server by its name') as string,
    })
  })

  it('is made over https or on this machine', () => {
    expect(at('http://localhost:4400/settings')).toBeUndefined()
    expect(at('https://interlock.fjörd.example/settings')).toBeUndefined()
    expect(at('http://interlock.fjörd.example/settings')?.says).toContain('https')
  })

  it('that did not come says why, whatever the browser said', () => {
    expect(passkeyTrouble(Object.assign(new Error('x'), { name: 'NotAllowedError' }))).toContain('cancelled')
    expect(passkeyTrouble(Object.assign(new Error('127.0.0.1 is an invalid domain'), { name: 'SecurityError' }))).toBe(
      'The browser says: 127.0.0.1 is an invalid domain',
    )
    expect(passkeyTrouble('odd')).toBe('The browser says: odd')
  })
})
