import { authenticate } from 'mailauth'
import { simpleParser } from 'mailparser'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { aLetter, giveKey, type Asked } from '../../../test/make/campaign.ts'
import { aCampaignHouse, type CampaignHouse } from '../../../test/make/campaign-house.ts'
import type { Counts } from '../contract.ts'

let house: CampaignHouse
beforeAll(async () => {
  house = await aCampaignHouse()
})

const sum = (counts: Counts) => Object.values(counts).reduce((all, count) => all + count, 0)
const launch = (asked: Asked) =>
  house.app.requests.launch(house.staff.author, asked.request.id, asked.request.releaseHash)
const standing = (email: string) => house.app.consent.standing(house.app.consent.addressKey(email))
const stateOf = async (asked: Asked, address: string) =>
  (await house.app.journeys.messages(asked.broadcastId, undefined, undefined)).messages.find(
    (message) => message.address === address,
  )
/** Long enough for several rounds of the sender. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 1_500))

describe('without keys', () => {
  it('nothing leaves: neither without any, nor with one of two', async () => {
    await house.customers('unkeyed', 5)
    const asked = await house.ask('unkeyed')
    await expect(launch(asked)).rejects.toMatchObject({ code: 'needs_agreement' })
    const sentence = async () => (await house.app.journeys.get(asked.broadcastId)).sentence
    expect(await sentence()).toBe('A draft. It waits for one key from Marketing and one key from IT.')
    await giveKey(house.app, house.staff, house.clock, asked.request, 'marketing')
    expect(await sentence()).toBe('A draft. It waits for one key from IT.')
    await expect(launch(asked)).rejects.toMatchObject({ code: 'needs_agreement' })
    await aWhile()
    expect(house.mailed('unkeyed')).toEqual([])
  })

  it('nothing leaves when the subject was changed after the first key: the keys fall out', async () => {
    await house.customers('changed', 5)
    const asked = await house.ask('changed')
    await giveKey(house.app, house.staff, house.clock, asked.request, 'marketing')
    await house.app.content.change(house.staff.author, asked.templateId, 'Letter', { ...aLetter, subject: 'Else' })
    const now = await house.app.requests.get(house.staff.author, asked.request.id)
    expect(now.keys.map((key) => key.state)).toEqual(asked.request.keys.map(() => 'waiting'))
    expect(now.releaseHash).not.toBe(asked.request.releaseHash)
    await expect(giveKey(house.app, house.staff, house.clock, asked.request, 'it')).rejects.toMatchObject({
      code: 'conflict',
    })
    await expect(launch(asked)).rejects.toMatchObject({ code: 'needs_agreement' })
    await aWhile()
    expect(house.mailed('changed')).toEqual([])
  })

  it('nothing leaves when the topic, whose name is in each mail, was renamed after the keys', async () => {
    await house.customers('renamed', 5)
    const asked = await house.ask('renamed')
    await giveKey(house.app, house.staff, house.clock, asked.request, 'marketing')
    const topic = (await house.app.consent.topics()).find((one) => one.id === 'news')
    if (topic === undefined) throw new Error('no topic')
    await house.app.consent.setTopic(house.staff.author, { ...topic, name: 'Urgent: sign in at once' })
    const now = await house.app.requests.get(house.staff.author, asked.request.id)
    expect(now.keys.map((key) => key.state)).toEqual(asked.request.keys.map(() => 'waiting'))
    await expect(launch(asked)).rejects.toMatchObject({ code: 'needs_agreement' })
    await house.app.consent.setTopic(house.staff.author, topic)
    expect(house.mailed('renamed')).toEqual([])
  })

  it('nothing leaves when somebody writes rows and a live broadcast straight into the database', async () => {
    await house.customers('written', 2)
    const asked = await house.ask('written')
    const { postgres } = house.app
    await insertMessage(asked, 'p0@written.example')
    await aWhile()
    expect((await stateOf(asked, 'p0@written.example'))?.state).toBe('planned')
    await postgres.query(`UPDATE journeys.broadcast SET state = 'live', release_hash = $2 WHERE id = $1`, [
      asked.broadcastId,
      asked.request.releaseHash,
    ])
    const halted = await house.becomes(asked, 'halted')
    expect(halted.because).toContain('not live')
    expect(house.mailed('written')).toEqual([])
  })
})

/** A row that no planning wrote: everything right but the seal. */
async function insertMessage(asked: Asked, address: string): Promise<void> {
  const { postgres, consent } = house.app
  await postgres.query(
    `INSERT INTO journeys.message (id, send_key, broadcast_id, release_hash, profile_id, address, address_key, topic_id, tool_id, seal, state, next_at, changed_at)
     SELECT $1, $1, $2, $3, c.profile_id, $4, $5, 'news', r.tool_id, 'AAAA', 'planned', now(), now() FROM profiles.contact c, channels.route r WHERE c.email = $4`,
    [`message_${address}`, asked.broadcastId, asked.request.releaseHash, address, consent.addressKey(address)],
  )
}

describe('under its keys, a broadcast', () => {
  it('leaves once, and the count of all ends is the audience', async () => {
    await house.customers('first', 40, (at) => ({
      agreed: at !== 3,
      traits: at === 5 ? { email: undefined } : at === 7 ? { email: 'P6@first.example' } : {},
    }))
    await house.app.consent.suppressByHand(house.staff.author, 'p9@first.example', 'marketing')
    const asked = await house.ask('first')
    await house.launch(asked)
    const done = await house.becomes(asked, 'done')
    expect(done.counts).toEqual({ accepted: 36, no_consent: 1, no_address: 1, same_address: 1, suppressed: 1 })
    expect(done.audience).toBe(40)
    expect(sum(done.counts)).toBe(40)
    const mailed = house.mailed('first')
    expect(mailed).toHaveLength(36)
    expect(new Set(mailed.map((to) => to.toLowerCase())).size).toBe(36)
    expect(new Set(house.sink.mails.map((mail) => mail.messageId)).size).toBe(house.sink.mails.length)
    await expect(launch(asked)).rejects.toMatchObject({ code: 'not_now' })
  })

  it('refuses a row that planning did not write', async () => {
    await house.customers('sealed', 2)
    await house.customers('smuggled', 1)
    house.faults.set('p1@sealed.example', (turn) => (turn === 1 ? later : undefined))
    const asked = await house.ask('sealed')
    await house.launch(asked)
    await expect
      .poll(async () => (await house.app.journeys.get(asked.broadcastId)).counts)
      .toMatchObject({
        accepted: 1,
        planned: 1,
      })
    await insertMessage(asked, 'p0@smuggled.example')
    await expect.poll(async () => (await stateOf(asked, 'p0@smuggled.example'))?.state).toBe('refused')
    expect(house.mailed('smuggled')).toEqual([])
    house.clock.ahead(61_000)
    await house.becomes(asked, 'done')
  })

  it('stops within one batch when a key is taken back, and mails nobody twice when it goes on under new ones', async () => {
    await house.customers('halted', 700, (at) => (at === 699 ? { traits: { email: undefined } } : {}))
    const asked = await house.ask('halted')
    await house.launch(asked)
    await expect.poll(() => house.mailed('halted').length, { interval: 5, timeout: 20_000 }).toBeGreaterThan(50)
    await house.app.requests.withdrawKey(house.staff.it, asked.request.id, 'the shop is down')
    const then = house.mailed('halted').length
    await house.becomes(asked, 'halted')
    await aWhile()
    const first = house.mailed('halted')
    expect(first.length).toBeLessThanOrEqual(then + 100)
    expect(first.length).toBeLessThan(600)

    // Meanwhile one who got it moved, one who did not moved too, and one told an address for the first time.
    const got = first[0] ?? ''
    const waits = Array.from({ length: 699 }, (_, at) => `p${String(at)}@halted.example`).find(
      (address) => !first.includes(address),
    )
    const numberOf = (address: string) => Number(/^p(\d+)@/.exec(address)?.[1])
    const moved = new Map([
      [numberOf(got), 'moved-got@halted.example'],
      [numberOf(waits ?? ''), 'moved-waits@halted.example'],
      [699, 'new@halted.example'],
    ])
    for (const [at, email] of moved)
      await house.customers('halted', 1, () => ({ userId: `halted-${String(at)}`, traits: { email } }))
    const request = await house.app.requests.open(house.staff.author, 'broadcast', asked.broadcastId, '')
    await house.launch({ ...asked, request })
    const done = await house.becomes(asked, 'done')
    const all = house.mailed('halted')
    expect(new Set(all).size).toBe(all.length)
    expect(all).toHaveLength(700)
    expect(all).toContain('moved-waits@halted.example')
    expect(all).toContain('new@halted.example')
    expect(all).not.toContain('moved-got@halted.example')
    expect(all).not.toContain(waits)
    expect(done.counts).toEqual({ accepted: 700 })
    expect(done.audience).toBe(700)
  })

  it('never shows what nobody agreed to, even when it is edited in the middle of a batch', async () => {
    await house.customers('edited', 3)
    const asked = await house.ask('edited')
    const { content } = house.app
    const read = content.version.bind(content)
    const seen = new Map<object, number>()
    let edits = 0
    const reading = vi.spyOn(content, 'version').mockImplementation(async (tx, id) => {
      // In one claim the gate looks at the template and then, with rows in its hands, the sender reads it: the edit comes between the two.
      if (tx !== house.app.postgres && id === asked.templateId) {
        seen.set(tx, (seen.get(tx) ?? 0) + 1)
        const [claimed] = await tx.query<{ n: number }>(
          `SELECT count(*) AS n FROM journeys.message WHERE broadcast_id = $1 AND state = 'claimed'`,
          [asked.broadcastId],
        )
        if (seen.get(tx) === 2 && (claimed?.n ?? 0) > 0 && edits++ === 0)
          await content.change(house.staff.author, asked.templateId, 'Letter', { ...aLetter, subject: 'Smuggled' })
      }
      return read(tx, id)
    })
    try {
      await house.launch(asked)
      await expect.poll(() => edits, { timeout: 20_000 }).toBeGreaterThan(0)
      await aWhile()
    } finally {
      reading.mockRestore()
    }
    const subjects = await Promise.all(
      house.sink.mails
        .filter((mail) => mail.to.endsWith('@edited.example'))
        .map(async (mail) => (await simpleParser(mail.raw)).subject),
    )
    expect(subjects).not.toContain('Smuggled')
  })

  it('does not mail who unsubscribed between planning and sending', async () => {
    await house.customers('left', 3)
    house.faults.set('p2@left.example', (turn) => (turn === 1 ? later : undefined))
    const asked = await house.ask('left')
    await house.launch(asked)
    await expect.poll(async () => (await house.app.journeys.get(asked.broadcastId)).counts.accepted).toBe(2)
    const addressKey = house.app.consent.addressKey('p2@left.example')
    await house.app.consent.unsubscribe({ message: 'message_1', addressKey, topic: 'news' }, 'topic', 'one-click')
    house.clock.ahead(61_000)
    const done = await house.becomes(asked, 'done')
    expect(done.counts).toEqual({ accepted: 2, suppressed: 1 })
    expect(house.mailed('left')).toHaveLength(2)
  })

  it('goes out after a pause that came before its time', async () => {
    await house.customers('paused', 4)
    const asked = await house.ask('paused')
    await house.app.journeys.change(house.staff.author, asked.broadcastId, {
      ...(await given(asked)),
      sendAt: new Date(Date.now() + 2_500).toISOString(),
    })
    const request = await house.app.requests.get(house.staff.author, asked.request.id)
    await house.launch({ ...asked, request })
    await house.app.journeys.pause(house.staff.it, asked.broadcastId)
    await new Promise((resolve) => setTimeout(resolve, 4_500))
    expect(house.mailed('paused')).toEqual([])
    await house.app.journeys.resume(house.staff.author, asked.broadcastId)
    await house.becomes(asked, 'done')
    expect(house.mailed('paused')).toHaveLength(4)
  })

  it('fails for the one person whom the template fails, and for nobody else', async () => {
    await house.customers('rendered', 130, (at) => ({ traits: { lamps: at === 77 ? 1e9 : 3 } }))
    const asked = await house.ask('rendered', {
      body: {
        ...aLetter,
        design: { kind: 'blocks', blocks: [{ kind: 'text', text: '{% for n in (1..person.lamps) %}💡{% endfor %}' }] },
      },
    })
    await house.launch(asked)
    const done = await house.becomes(asked, 'done')
    expect(done.counts).toEqual({ accepted: 129, render_failed: 1 })
    const { messages } = await house.app.journeys.messages(asked.broadcastId, 'render_failed', undefined)
    expect(messages).toMatchObject([{ address: 'p77@rendered.example' }])
    expect(messages[0]?.reason).toMatch(/limit/)
  })
})

const later = { at: 'RCPT', code: 450, text: '4.2.0 greylisted' } as const
const given = async (asked: Asked) => {
  const { name, template, segment, sender, topic, sendAt } = await house.app.journeys.get(asked.broadcastId)
  return {
    name,
    templateId: template.id as Asked['templateId'],
    segmentId: segment.id as Asked['segmentId'],
    senderId: sender.id as Parameters<CampaignHouse['app']['journeys']['create']>[1]['senderId'],
    topicId: topic.id,
    sendAt,
  }
}

describe('a mail server that', () => {
  it('drops the line after the dot leaves an unknown, which is not sent again', async () => {
    await house.customers('dropped', 3)
    house.faults.set('p1@dropped.example', () => ({ at: 'drop-after-dot' }))
    const asked = await house.ask('dropped')
    await house.launch(asked)
    const done = await house.becomes(asked, 'done')
    expect(done.counts).toEqual({ accepted: 2, unknown: 1 })
    house.clock.ahead(3_600_000)
    await aWhile()
    expect(house.mailed('dropped').filter((to) => to === 'p1@dropped.example')).toHaveLength(1)
  })

  it('says 4xx gets it again later, one that says 550 never again', async () => {
    await house.customers('answers', 4)
    house.faults.set('p0@answers.example', (turn) => (turn <= 2 ? later : undefined))
    house.faults.set('p1@answers.example', () => ({ at: 'RCPT', code: 550, text: '5.1.1 no such user' }))
    house.faults.set('p2@answers.example', () => ({ at: 'RCPT', code: 552, text: '5.2.2 mailbox full' }))
    const asked = await house.ask('answers')
    await house.launch(asked)
    const counts = async () => (await house.app.journeys.get(asked.broadcastId)).counts
    await expect.poll(counts).toEqual({ accepted: 1, planned: 1, rejected: 2 })
    await aWhile()
    expect(await stateOf(asked, 'p0@answers.example')).toMatchObject({ state: 'planned', attempt: 1 })
    house.clock.ahead(61_000)
    await expect.poll(async () => (await stateOf(asked, 'p0@answers.example'))?.attempt).toBe(2)
    await aWhile()
    expect(await counts()).toMatchObject({ planned: 1 })
    house.clock.ahead(5 * 60_000)
    await house.becomes(asked, 'done')
    expect(house.mailed('answers').sort()).toEqual(['p0@answers.example', 'p3@answers.example'])
    expect((await standing('p1@answers.example')).suppressions).toMatchObject([{ scope: '*', reason: 'bounced' }])
    expect((await standing('p2@answers.example')).suppressions).toEqual([])
  })

  it('refuses for policy pauses the broadcast, and suppresses nobody', async () => {
    await house.customers('policy', 3)
    let spam = true
    house.faults.set('p1@policy.example', () => (spam ? { at: 'dot', code: 554, text: '5.7.1 spam' } : undefined))
    const asked = await house.ask('policy')
    await house.launch(asked)
    const paused = await house.becomes(asked, 'paused')
    expect(paused.because).toContain('554 5.7.1 spam')
    expect((await standing('p1@policy.example')).suppressions).toEqual([])
    spam = false
    await house.app.journeys.resume(house.staff.author, asked.broadcastId)
    expect((await house.becomes(asked, 'done')).counts).toEqual({ accepted: 3 })
  })

  it('cuts all connections at once is one outage, not ten', async () => {
    await house.customers('outage', 10)
    for (let at = 0; at < 10; at++)
      house.faults.set(`p${String(at)}@outage.example`, (turn) => (turn === 1 ? { at: 'drop-before-dot' } : undefined))
    const asked = await house.ask('outage')
    await house.launch(asked)
    const done = await house.becomes(asked, 'done')
    expect(done.counts).toEqual({ accepted: 10 })
    expect(house.mailed('outage')).toHaveLength(10)
  })
})

describe('the mail that arrives', () => {
  let asked: Asked
  const mailTo = (to: string) => house.sink.mails.find((mail) => mail.to === to)?.raw ?? ''
  const inject = (method: 'GET' | 'HEAD' | 'POST', url: string, more: object = {}) => {
    const { pathname, search } = new URL(url)
    return house.app.http.app.inject({ method, url: `${pathname}${search}`, ...more })
  }
  const told = async (name: string, message: string) => {
    await house.app.journeys.told()
    await house.app.collect.drained()
    return house.app.clickhouse.query<{ machine: string }>(
      `SELECT properties.machine::String AS machine FROM event WHERE name = {name:String} AND properties.message::String = {message:String} ORDER BY time`,
      { name, message },
    )
  }
  beforeAll(async () => {
    await house.customers('arrives', 3)
    asked = await house.ask('arrives')
    await house.launch(asked)
    await house.becomes(asked, 'done')
  })

  it('passes DKIM by an independent verifier, with both unsubscribe headers under the signature', async () => {
    const [sender] = await house.app.channels.senders()
    const record = sender?.dns[0]
    const raw = mailTo('p0@arrives.example')
    const { dkim } = await authenticate(raw, {
      disableArc: true,
      disableDmarc: true,
      disableBimi: true,
      resolver: (name, type) =>
        name === record?.name && type === 'TXT'
          ? Promise.resolve([[record.value]])
          : Promise.reject(Object.assign(new Error('none'), { code: 'ENOTFOUND' })),
    })
    expect(dkim.results[0]?.status.result).toBe('pass')
    const signed = /\bh=([^;]+);/.exec(raw)?.[1]?.split(':') ?? []
    expect(signed).toContain('list-unsubscribe')
    expect(signed).toContain('list-unsubscribe-post')
    const read = await simpleParser(raw)
    expect(read.subject).toBe('Ljus till kvällen, Åsa 0')
    expect(read.headers.get('list')).toMatchObject({ 'unsubscribe-post': { name: 'List-Unsubscribe=One-Click' } })
  })

  it('unsubscribes by the one click of RFC 8058, and not by being looked at', async () => {
    const url = /^List-Unsubscribe: <([^>]+)>/m.exec(mailTo('p1@arrives.example'))?.[1] ?? ''
    const mailable = async () =>
      (await standing('p1@arrives.example')).topics.find((topic) => topic.id === 'news')?.mailable
    for (const method of ['GET', 'HEAD'] as const) {
      expect((await inject(method, url)).statusCode).toBe(200)
      expect(await mailable()).toBe(true)
    }
    const posted = await inject('POST', url, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'List-Unsubscribe=One-Click',
    })
    expect(posted.statusCode).toBe(200)
    expect(await mailable()).toBe(false)
    const id = /^Message-ID: <([^@]+)@/m.exec(mailTo('p1@arrives.example'))?.[1] ?? ''
    expect(await told('Message Unsubscribed', id)).toHaveLength(1)
  })

  it('counts a click and leads on, but never where the mail did not', async () => {
    const raw = mailTo('p2@arrives.example')
    const read = await simpleParser(raw)
    const id = /^Message-ID: <([^@]+)@/m.exec(raw)?.[1] ?? ''
    const html = typeof read.html === 'string' ? read.html : ''
    const link = (/href="(https:\/\/il\.example\/l\/[^"]+)"/.exec(html)?.[1] ?? '').replaceAll('&amp;', '&')
    house.clock.ahead(5_000)
    const person = {
      headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' },
    }
    const clicked = await inject('GET', link, person)
    expect(clicked.statusCode).toBe(302)
    expect(clicked.headers.location).toContain('https://shop.lindqvist.example/new?from=mail&a=')
    expect((await inject('HEAD', link)).statusCode).toBe(302)
    const forged = link.replace(/to=.*/, `to=${encodeURIComponent('https://evil.example/')}`)
    const refused = await inject('GET', forged, person)
    expect(refused.statusCode).toBe(404)
    expect(refused.headers.location).toBeUndefined()
    expect((await inject('GET', link.replace(/l\/message_../, 'l/message_zz'), person)).statusCode).toBe(404)
    await expect.poll(() => told('Message Clicked', id)).toEqual([{ machine: 'false' }])

    const picture = (/src="(https:\/\/il\.example\/o\/[^"]+)"/.exec(html)?.[1] ?? '').replaceAll('&amp;', '&')
    await inject('GET', picture, { headers: { 'user-agent': 'Mozilla/5.0' } })
    house.clock.ahead(1_000)
    await inject('GET', picture, person)
    expect((await inject('GET', `${picture.slice(0, -8)}AAAA.gif`, person)).statusCode).toBe(200)
    await expect.poll(() => told('Message Opened', id)).toEqual([{ machine: 'true' }, { machine: 'false' }])
    expect(await told('Message Sent', id)).toHaveLength(1)
  })
})

it('the pages that mails lead to are those of the company that readers know, not of this program', async () => {
  const page = await house.app.http.app.inject({ url: '/u/torn' })
  expect(page.body).toContain('Töchter')
  expect(page.body).not.toContain('Interlock')
})
