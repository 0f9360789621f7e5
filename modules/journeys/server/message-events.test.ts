import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../platform/random/random.ts'
import { createSecrets } from '../../../platform/secrets/secrets.ts'
import { trackingLinks } from './links.ts'
import { isMachine, messageEvent } from './message-events.ts'

const links = trackingLinks(createSecrets(systemRandom.bytes(32), systemRandom), () => 'https://il.example/')
const parts = (url: string) => {
  const { pathname, searchParams } = new URL(url)
  return { token: pathname.split('/')[2] ?? '', to: searchParams.get('to') ?? '' }
}

describe('a tracked link', () => {
  const target = 'https://shop.example/träd?a=1&b=%20x#söder'
  const made = links.click('message_1', target)

  it('knows its message, and leads exactly where the mail said', () => {
    const { token, to } = parts(made)
    expect(made.startsWith('https://il.example/l/')).toBe(true)
    expect(to).toBe(target)
    expect(links.readClick(token, to)).toBe('message_1')
  })
  it.each(['https://evil.example/', `${target}&c=2`, '//evil.example', 'javascript:alert(1)', ''])(
    'leads nowhere when its target was changed to “%s”',
    (to) => {
      expect(links.readClick(parts(made).token, to)).toBeUndefined()
    },
  )
  it.each(['', '.', 'message_1', 'message_1.', 'message_2.AAAA', 'message_1.AAAA.gif', '…'])(
    'takes no forged token “%s”',
    (token) => {
      expect(links.readClick(token, target)).toBeUndefined()
      expect(links.readOpen(token)).toBeUndefined()
    },
  )
  it('of another company’s secret counts nothing here', () => {
    const others = trackingLinks(createSecrets(systemRandom.bytes(32), systemRandom), () => 'https://il.example')
    const { token, to } = parts(others.click('message_1', target))
    expect(links.readClick(token, to)).toBeUndefined()
  })
  it('does not serve as a picture, nor a picture as a link', () => {
    expect(links.readOpen(parts(made).token)).toBeUndefined()
    const picture = new URL(links.open('message_1')).pathname.split('/')[2] ?? ''
    expect(links.readOpen(picture)).toBe('message_1')
    expect(links.readClick(picture.replace('.gif', ''), '')).toBeUndefined()
  })
})

describe('who asked for it', () => {
  it.each([
    ['Mozilla/5.0', 'GET'],
    ['', 'GET'],
    [undefined, 'GET'],
    ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'GET'],
    ['BarracudaCentral/1.0 bot', 'GET'],
    ['curl/8.5.0', 'GET'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15', 'HEAD'],
  ])('is a machine: %s %s', (agent, method) => {
    expect(isMachine(agent, method)).toBe(true)
  })
  it.each([
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Thunderbird/140.2.0',
  ])('may be a person: %s', (agent) => {
    expect(isMachine(agent, 'GET')).toBe(false)
  })
})

it('an event of a message told twice is the same event', () => {
  const about = { id: 'message_1', broadcast_id: 'broadcast_1', profile_id: 'profile_1', address: 'åsa@post.example' }
  const tell = () => messageEvent('Message Sent', about, new Date('2028-02-29T09:59:59Z'))
  expect(tell()).toEqual(tell())
  expect(tell()).toMatchObject({
    messageId: 'sent:message_1',
    context: {
      externalIds: [
        { type: 'profile', id: 'profile_1' },
        { type: 'email', id: 'åsa@post.example' },
      ],
    },
    properties: { broadcastId: 'broadcast_1' },
  })
})
