import { describe, expect, it } from 'vitest'
import { byName, linksInMails, readConfig } from './config.ts'

const mail = { INTERLOCK_SMTP_URL: 'smtp://mail.lindqvist.example:587' }

describe('the environment', () => {
  it.each([
    ['no address', {}],
    ['the machine itself', { INTERLOCK_PUBLIC_URL: 'https://localhost:4400' }],
    ['its loopback', { INTERLOCK_PUBLIC_URL: 'http://127.0.0.1:4400' }],
  ])('is refused when mail goes out and its links would lead to %s', (_what, also) => {
    expect(() => readConfig({ ...mail, ...also })).toThrow('INTERLOCK_PUBLIC_URL')
  })

  it('is taken with a warning when the links would lack https, and without one when all is well or mail stays here', () => {
    const plain = readConfig({ ...mail, INTERLOCK_PUBLIC_URL: 'http://shop.lindqvist.example' })
    expect(linksInMails(plain)).toMatchObject({ fatal: false })
    expect(linksInMails({ ...plain, publicUrl: 'https://shop.lindqvist.example' })).toBeUndefined()
    expect(linksInMails(readConfig({ INTERLOCK_SMTP_URL: 'smtp://127.0.0.1:2525' }))).toBeUndefined()
    expect(linksInMails(readConfig({}))).toBeUndefined()
  })

  it('is refused with a role that there is not, and with one that lacks what it needs', () => {
    expect(() => readConfig({ INTERLOCK_ROLE: 'work' })).toThrow('“collect” (as many as you like')
    expect(() => readConfig({ INTERLOCK_ROLE: 'collect', INTERLOCK_DATABASE_URL: 'postgres://db/interlock' })).toThrow(
      'needs INTERLOCK_RELAY_URL (events are handed on to it), INTERLOCK_SECRET_KEY',
    )
    expect(readConfig({ INTERLOCK_ROLE: 'all', INTERLOCK_SEND_DURABLE: '1' }).sendDurable).toBe(true)
  })
})

describe('the address that is printed', () => {
  it.each([
    ['http://127.0.0.1:4400', 'http://localhost:4400'],
    ['http://[::1]:4400', 'http://localhost:4400'],
    ['http://192.0.2.7:4400', 'http://192.0.2.7:4400'],
  ])('of %s is %s, because passkeys are made for names alone', (listens, printed) => {
    expect(byName(listens)).toBe(printed)
  })
})
