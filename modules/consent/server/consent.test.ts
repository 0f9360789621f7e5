import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aPostgres } from '../../../test/make/engines.ts'
import { aBareServer, sayOnSocket } from '../../../test/make/http.ts'
import type { Id } from '../../../lib/ids/ids.ts'
import { stoppedClock, type StoppedClock } from '../../../platform/clock/clock.ts'
import { silentLog } from '../../../platform/log/log.ts'
import type { PostgresPool } from '../../../platform/postgres/postgres.ts'
import { systemRandom } from '../../../platform/random/random.ts'
import { createSecrets } from '../../../platform/secrets/secrets.ts'
import { createAudit } from '../../audit/server/index.ts'
import { consentPages, createConsent, type Consent, type ConsentEvent, type Unsubscribed } from './index.ts'

const day = 86_400_000
let postgres: PostgresPool
let consent: Consent
let clock: StoppedClock
let server: Awaited<ReturnType<typeof aBareServer>>
const told: Unsubscribed[] = []
/** Topics whose name or words changed, as the gate is told. */
const changed: string[] = []
let count = 0
/** Another address for each test, awkward on purpose. */
let email: string

beforeAll(async () => {
  postgres = await aPostgres()
  clock = stoppedClock()
  consent = createConsent({
    postgres,
    clock,
    secrets: createSecrets(systemRandom.bytes(32), systemRandom),
    audit: createAudit({ postgres, clock }),
    log: silentLog,
    publicUrl: () => 'https://interlock.example/',
    sourceKind: (id) => Promise.resolve(id === 'source_1' ? 'newsletter' : id === 'source_shop' ? 'web' : undefined),
    async changed(tx, id, by) {
      // Within the transaction: what is read here is what will be.
      changed.push(`${by.id} ${(await consent.topics(tx)).find((topic) => topic.id === id)?.name ?? 'nothing'}`)
    },
  })
  consent.unsubscribed.connect((fact) => {
    told.push(fact)
  })
  server = await aBareServer(consentPages({ consent, company: () => 'Läden <& Söhne>' }))
})
beforeEach(() => {
  told.length = 0
  count += 1
  email = `Zoë.O'Brien+${String(count)}@Fjörd.example`
})

const event = (name: string, at: number | undefined, properties: Record<string, unknown> = {}): ConsentEvent => ({
  sourceId: 'source_1',
  messageId: `m${String((count += 1000))}`,
  type: 'track',
  name,
  externalIds: [],
  traits: {},
  properties: { email, channel: 'email', topic: 'news', ...properties },
  context: {},
  originalMs: at ?? clock.ms(),
  timeMs: at ?? clock.ms(),
  receivedMs: clock.ms(),
})
const given = (at?: number, properties?: Record<string, unknown>) => event('Consent Given', at, properties)
const withdrawn = (at?: number) => event('Consent Withdrawn', at)
const mailable = async () =>
  (await consent.standing(consent.addressKey(email))).topics.find((topic) => topic.id === 'news')?.mailable
const ref = () => ({ message: `message_${String(count)}`, addressKey: consent.addressKey(email), topic: 'news' })
const pathOf = (url: string) => new URL(url).pathname

describe('what an address agreed to', () => {
  it('is the same for every spelling of the address, and says nothing of it', () => {
    expect(consent.addressKey(' ZOË@fjörd.EXAMPLE')).toBe(consent.addressKey('zoë@xn--fjrd-6qa.example'))
    expect(consent.addressKey('a@b.example')).toMatch(/^[0-9a-f]{64}$/)
  })

  it('is nothing until somebody says so', async () => {
    expect(await mailable()).toBe(false)
  })

  it.each([
    ['a grant', () => [given(clock.ms() - day)], true],
    ['a grant and a later withdrawal', () => [given(clock.ms() - 2 * day), withdrawn(clock.ms() - day)], false],
    [
      'a withdrawal that arrives before the older grant',
      () => [withdrawn(clock.ms() - day), given(clock.ms() - 2 * day)],
      false,
    ],
    ['a withdrawal and a later grant', () => [withdrawn(clock.ms() - 2 * day), given(clock.ms() - day)], true],
    ['a withdrawal and a grant that does not say when', () => [withdrawn(clock.ms() - 2 * day), given()], false],
    ['a grant dated in the future and a withdrawal today', () => [given(clock.ms() + 365 * day), withdrawn()], false],
    ['a grant for another channel', () => [given(clock.ms() - day, { channel: 'sms' })], false],
  ])('%s decides', async (_what, events, expected) => {
    for (const one of events()) await consent.recordEvents([one])
    expect(await mailable()).toBe(expected)
    // The same events together, in one batch, in the other order.
    email = `second.${email}`
    await consent.recordEvents(events().reverse())
    expect(await mailable()).toBe(expected)
  })

  it('does not change when the same batch comes again after a crash', async () => {
    const batch = [given(clock.ms() - day), withdrawn(clock.ms() - 2 * day)]
    expect(await consent.recordEvents(batch)).toMatchObject({ recorded: 2 })
    expect(await consent.recordEvents(batch)).toMatchObject({ recorded: 0 })
    expect((await consent.standing(consent.addressKey(email))).records).toHaveLength(2)
  })

  it('counts events that name no address, and asks for the address of a known person', async () => {
    const nameless = { ...given(clock.ms() - day, { email: undefined }), userId: 'u1' }
    expect(await consent.recordEvents([nameless])).toEqual({ recorded: 0, withoutAddress: 1, withoutTopic: 0 })
    expect(await consent.recordEvents([nameless], () => Promise.resolve(email))).toMatchObject({ recorded: 1 })
    expect(await mailable()).toBe(true)
  })

  it('keeps a topic that nobody described, but does not list it', async () => {
    await consent.recordEvents([given(clock.ms() - day, { topic: 'Größe & Mode' })])
    expect(await consent.topics()).toContainEqual(expect.objectContaining({ name: 'Größe & Mode', listed: false }))
  })

  it('is a log that is not rewritten', async () => {
    await consent.recordEvents([given()])
    await expect(postgres.query(`UPDATE consent.record SET state = 'granted'`)).rejects.toThrow('never changed')
  })

  it('keeps the words that were agreed to', async () => {
    await consent.recordEvents([given(undefined, { wording: 'Ja, schickt mir „Neues“.' })])
    expect((await consent.standing(consent.addressKey(email))).records[0]?.wording).toBe('Ja, schickt mir „Neues“.')
  })
})

describe('what a key that is in every page may say', () => {
  const publicly = (one: ConsentEvent): ConsentEvent => ({ ...one, sourceId: 'source_shop' })
  const claim = () => publicly(given(clock.ms() - 5, { doubleOptIn: true, basis: 'double_opt_in', proof: 'made up' }))

  it('gives consent where nothing says no, as plain consent', async () => {
    await consent.recordEvents([claim()])
    const { records } = await consent.standing(consent.addressKey(email))
    expect(records).toMatchObject([{ state: 'granted', basis: 'consent' }])
    expect(await mailable()).toBe(true)
  })

  it.each([
    ['an unsubscribe', () => consent.unsubscribe(ref(), 'topic', 'one-click')],
    ['a stop of everything', () => consent.unsubscribe(ref(), 'marketing', 'page')],
    ['a withdrawal', () => consent.recordEvents([withdrawn(clock.ms() - day)])],
    ['a withdrawal from a page', () => consent.recordEvents([publicly(withdrawn(clock.ms() - day))])],
  ])('never takes back %s', async (_what, refuse) => {
    await refuse()
    await clock.advance(day)
    await consent.recordEvents([claim()])
    expect(await mailable()).toBe(false)
  })

  it('never hides behind a stop: what was claimed meanwhile does not come in force when the stop ends', async () => {
    await consent.recordEvents([given(clock.ms() - day, { topic: 'events' })])
    await consent.unsubscribe({ ...ref(), topic: 'events' }, 'marketing', 'page')
    await consent.recordEvents([claim()])
    await consent.choose({ ...ref(), topic: 'events' }, new Set(['events']))
    expect(await mailable()).toBe(false)
  })

  it('gives way to a refusal that is older and arrives later', async () => {
    await consent.recordEvents([claim()])
    await consent.recordEvents([withdrawn(clock.ms() - 2 * day)])
    expect(await mailable()).toBe(false)
  })

  it('gives way to a refusal in the same batch', async () => {
    await consent.recordEvents([withdrawn(clock.ms() - 2 * day), claim()])
    expect(await mailable()).toBe(false)
  })

  it('may withdraw', async () => {
    await consent.recordEvents([given(clock.ms() - day)])
    await consent.recordEvents([publicly(withdrawn())])
    expect(await mailable()).toBe(false)
  })

  it('is believed no more than that when nobody knows the source', async () => {
    await consent.unsubscribe(ref(), 'topic', 'one-click')
    await clock.advance(day)
    await consent.recordEvents([{ ...claim(), sourceId: 'source_gone' }])
    expect(await mailable()).toBe(false)
  })
})

it('a double opt-in without its proof takes nothing back', async () => {
  await consent.unsubscribe(ref(), 'topic', 'one-click')
  await clock.advance(day)
  await consent.recordEvents([given(clock.ms() - 5, { doubleOptIn: true })])
  await consent.recordEvents([given(clock.ms() - 4, { basis: 'double_opt_in', proof: 'words' })])
  expect(await mailable()).toBe(false)
})

describe('topics', () => {
  const staff = {
    kind: 'person' as const,
    accountId: 'account_x' as Id<'account'>,
    name: '',
    side: 'marketing' as const,
    roles: [],
    permissions: new Set<string>(),
    sessionId: undefined,
    steppedUpAtMs: undefined,
  }
  const club = { id: 'winter-club', name: 'Winter club', description: '', wording: 'Yes.', listed: true }
  const publicly = (topic: string) => ({ ...given(undefined, { topic }), sourceId: 'source_shop' })

  it('are not made by a key that is in every page, and staff see what was asked for', async () => {
    const before = (await consent.topics()).length
    const flood = Array.from({ length: 300 }, (_, at) => publicly(`Müll ${String(at)}`))
    expect(await consent.recordEvents([...flood, publicly('Winter Club'), publicly('Winter Club')])).toMatchObject({
      recorded: 0,
      withoutTopic: 302,
    })
    await consent.recordEvents([publicly('More'), publicly('Winter Club')])
    expect(await consent.topics()).toHaveLength(before)
    const unknown = await consent.unknownTopics()
    expect(unknown).toHaveLength(51)
    expect(unknown.reduce((sum, one) => sum + one.events, 0)).toBe(304)
    expect(unknown[0]).toMatchObject({ sourceId: 'source_shop', topic: '' })
    // A new topic of a source that is believed still finds room, and so does the wish of its first reader.
    expect(await consent.recordEvents([given(clock.ms() - day, { topic: 'Winter Club' })])).toMatchObject({
      recorded: 1,
    })
    expect(await consent.recordEvents([publicly('Winter Club')])).toMatchObject({ recorded: 1, withoutTopic: 0 })
  })

  it('tell the gate when their name or words change, in the transaction, and not when only the offer does', async () => {
    changed.length = 0
    await consent.setTopic(staff, club)
    await consent.setTopic(staff, { ...club, listed: false, description: 'Snow.' })
    // The topic came with an event under another name and other words.
    expect(changed).toEqual(['account_x Winter club'])
    await consent.setTopic(staff, { ...club, wording: 'Yes, please.' })
    await consent.setTopic(staff, { ...club, wording: 'Yes, please.', name: 'Snow club' })
    expect(changed).toEqual(['account_x Winter club', 'account_x Winter club', 'account_x Snow club'])
  })

  it('have a limit that says so, and does not keep the others from being changed', async () => {
    const room = 200 - (await consent.topics()).length
    await consent.recordEvents(
      Array.from({ length: room + 3 }, (_, at) => given(clock.ms() - day, { topic: `fed ${String(at)}` })),
    )
    expect(await consent.topics()).toHaveLength(200)
    await expect(consent.setTopic(staff, { ...club, id: 'one-more' })).rejects.toThrow('There are 200 topics')
    await consent.setTopic(staff, { ...club, name: 'Club of winter' })
    expect(await consent.recordEvents([given(clock.ms() - day, { topic: 'beyond' })])).toMatchObject({
      withoutTopic: 1,
    })
    expect(await consent.unknownTopics()).toContainEqual(expect.objectContaining({ topic: 'beyond', events: 1 }))
  })
})

describe('one click (RFC 8058)', () => {
  beforeEach(async () => {
    await consent.recordEvents([given(clock.ms() - day)])
  })
  const post = (type: string, body: string) =>
    `POST ${pathOf(consent.unsubscribeUrl(ref()))} HTTP/1.1\r\nHost: example.com\r\n${type}Content-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`

  it.each([
    [
      'section 8.1, as printed',
      () => post('Content-Type: application/x-www-form-urlencoded\r\n', 'List-Unsubscribe=One-Click'),
      26,
    ],
    [
      'section 8.2, as printed',
      () =>
        post(
          'Content-Type: multipart/form-data; boundary=---FormBoundaryjWmhtjORrn\r\n',
          '---FormBoundaryjWmhtjORrn\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n---FormBoundaryjWmhtjORrn--',
        ),
      124,
    ],
    ['no body and no type', () => post('', ''), 0],
    [
      'another charset',
      () =>
        post('Content-Type: Application/X-WWW-Form-URLencoded; charset=windows-1252\r\n', 'List-Unsubscribe=One-Click'),
      26,
    ],
    [
      'a type that nobody can read',
      () => post('Content-Type: application/json\tx;;=\r\n', 'List-Unsubscribe=One-Click'),
      26,
    ],
    ['a broken JSON body', () => post('Content-Type: application/json\r\n', '{"List-'), 7],
  ])('%s unsubscribes', async (_what, bytes, length) => {
    expect(bytes()).toContain(`Content-Length: ${String(length)}`)
    const answer = await sayOnSocket(server.port, bytes())
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(answer).not.toMatch(/^(location|set-cookie):/im)
    expect(await mailable()).toBe(false)
    expect(told).toMatchObject([{ message: ref().message, topic: 'news', scope: 'topic' }])
  })

  it('answers the same any number of times, and writes one record', async () => {
    const url = pathOf(consent.unsubscribeUrl(ref()))
    for (let time = 0; time < 3; time++) expect((await server.app.inject({ method: 'POST', url })).statusCode).toBe(200)
    const { records } = await consent.standing(consent.addressKey(email))
    expect(records.filter((record) => record.state === 'withdrawn')).toHaveLength(1)
  })

  it.each(['GET', 'HEAD', 'OPTIONS'] as const)('%s changes nothing', async (method) => {
    for (const url of [consent.unsubscribeUrl(ref()), consent.preferenceUrl(ref())]) {
      const answer = await server.app.inject({ method, url: pathOf(url), headers: { accept: 'text/html' } })
      expect(answer.statusCode).toBeLessThan(405)
      expect(answer.headers['location']).toBeUndefined()
    }
    expect(await mailable()).toBe(true)
    expect(told).toEqual([])
  })

  it('does nothing for a link that was changed', async () => {
    const good = pathOf(consent.unsubscribeUrl(ref()))
    const other = pathOf(consent.unsubscribeUrl({ ...ref(), addressKey: consent.addressKey('other@example.com') }))
    const spliced = `${good.split('.').slice(0, 1).join('.')}.${other.split('.').slice(1).join('.')}`
    for (const url of [
      `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`,
      spliced.replace(/[^.]+$/, good.split('.').at(-1) ?? ''),
      '/u/x',
      `/u/${'a'.repeat(250)}`,
      '/u/%00',
    ]) {
      const answer = await server.app.inject({ method: 'POST', url })
      expect(answer.statusCode, url).toBeGreaterThanOrEqual(400)
      expect(answer.statusCode, url).toBeLessThan(500)
    }
    expect(await mailable()).toBe(true)
  })

  it('still works 400 days later, for somebody whom nobody knows any more', async () => {
    const url = pathOf(consent.unsubscribeUrl(ref()))
    await postgres.transaction((tx) => consent.eraseRecords(tx, consent.addressKey(email)))
    await clock.advance(400 * day)
    expect((await server.app.inject({ method: 'POST', url })).statusCode).toBe(200)
    await consent.recordEvents([given(clock.ms() + day)])
    expect(await mailable()).toBe(false)
  })

  it('holds when the address is imported again, and is taken back only by the person or a later confirmed opt-in', async () => {
    await server.app.inject({ method: 'POST', url: pathOf(consent.unsubscribeUrl(ref())) })
    await clock.advance(day)
    await consent.recordEvents([given(clock.ms())])
    expect(await mailable()).toBe(false)
    await clock.advance(day)
    await consent.recordEvents([given(clock.ms() - 5, { doubleOptIn: true, proof: 'newsletter 4711' })])
    expect(await mailable()).toBe(true)
  })
})

describe('the page of what we may send', () => {
  const submit = (body: string) =>
    server.app.inject({
      method: 'POST',
      url: pathOf(consent.preferenceUrl(ref())),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: body,
    })

  it('shows, escapes, and changes exactly what was chosen', async () => {
    await consent.setTopic(
      {
        kind: 'person',
        accountId: 'account_x' as Id<'account'>,
        name: '',
        side: 'marketing',
        roles: [],
        permissions: new Set(),
        sessionId: undefined,
        steppedUpAtMs: undefined,
      },
      { id: 'events', name: '<b>Events & more', description: '', wording: 'Yes “please”.', listed: true },
    )
    await consent.recordEvents([given(clock.ms() - day)])
    const shown = await server.app.inject({ url: pathOf(consent.preferenceUrl(ref())) })
    expect(shown.body).toContain('&#60;b&#62;Events &#38; more')
    expect(shown.body).toContain('Läden &#60;&#38; Söhne&#62;')
    expect(shown.body).not.toMatch(/<script|style="/)
    expect((await submit('deed=save&topic=events')).statusCode).toBe(200)
    const standing = await consent.standing(consent.addressKey(email))
    expect(standing.topics.filter((topic) => topic.mailable).map((topic) => topic.id)).toEqual(['events'])
    expect(told).toHaveLength(1)
    await submit('deed=save&topic=events&topic=news')
    expect(await mailable()).toBe(true)
  })

  it('stops everything, and lets one topic back without the others', async () => {
    await consent.recordEvents([given(clock.ms() - day), given(clock.ms() - day, { topic: 'events' })])
    await submit('deed=stop')
    expect(await mailable()).toBe(false)
    await submit('deed=save&topic=news')
    const standing = await consent.standing(consent.addressKey(email))
    expect(standing.topics.filter((topic) => topic.mailable).map((topic) => topic.id)).toEqual(['news'])
  })

  it('does not bring back an address that bounced', async () => {
    const key = consent.addressKey(email)
    await postgres.transaction((tx) =>
      consent.suppress(tx, { addressKey: key, scope: '*', reason: 'bounced', source: 'smtp 5.1.1' }),
    )
    const answer = await submit('deed=save&topic=news')
    expect(answer.body).toContain('came back')
    expect(await mailable()).toBe(false)
  })

  it('changes nothing when the form did not arrive whole', async () => {
    await consent.recordEvents([given(clock.ms() - day)])
    expect((await submit('')).statusCode).toBe(400)
    expect(await mailable()).toBe(true)
  })
})
