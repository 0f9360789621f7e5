import { authenticate } from 'mailauth'
import { simpleParser } from 'mailparser'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { aMailSink, type Fault, type MailSink } from '../../test/make/mail-sink.ts'
import { dkimHeader, dkimKey, newDkimKey } from './dkim.ts'
import { buildMime, writeHeaders, type Mail } from './mime.ts'
import { openSmtp } from './smtp.ts'
import { openTransmitJournal, readTransmitJournals } from './transmit-journal.ts'

const mail: Mail = {
  messageId: 'f00ba5@news.lindqvist.example',
  atMs: Date.parse('2028-02-29T09:59:59Z'),
  from: { name: 'Lindqvist & Åhl', address: 'news@lindqvist.example' },
  to: { name: 'Siobhán “Łoś” D’Arcy', address: 'siobhan@mail.example' },
  subject: 'Åter till våren: 20 % på allt i trädgården, och en överraskning för dig – Щерев 🌷',
  text: '.\r\n..dots\nÅ hej',
  html: '<p>Hej <b>Siobhán</b></p>\n.\n',
  unsubscribeUrl: 'https://shop.lindqvist.example/u/token',
  listId: { name: 'Erbjudanden', id: 'offers.lindqvist.example' },
}
const key = newDkimKey()
function written(of: Mail = mail) {
  const { headers, body } = buildMime(of)
  const signature = dkimHeader(dkimKey('lindqvist.example', 'il1', key.privatePem), headers, body, of.atMs)
  return `${signature}\r\n${writeHeaders(headers)}\r\n${body}`
}
const verify = async (raw: string) =>
  (
    await authenticate(raw, {
      disableArc: true,
      disableDmarc: true,
      disableBimi: true,
      resolver: (name, type) =>
        name === 'il1._domainkey.lindqvist.example' && type === 'TXT'
          ? Promise.resolve([[`v=DKIM1; k=rsa; p=${key.publicBase64}`]])
          : Promise.reject(Object.assign(new Error('none'), { code: 'ENOTFOUND' })),
    })
  ).dkim.results[0]

describe('a mail as it is written', () => {
  it('is read back by another parser as what was meant', async () => {
    const read = await simpleParser(written())
    expect(read.subject).toBe(mail.subject)
    expect(read.from?.text).toContain('Lindqvist & Åhl')
    expect(read.text).toBe('.\n..dots\nÅ hej')
    expect(read.html).toContain('<b>Siobhán</b>')
    expect(
      Math.max(
        ...written()
          .split('\r\n')
          .slice(1)
          .map((line) => line.length),
      ),
    ).toBeLessThan(998)
  })

  it('carries no header of somebody else’s, whatever the name or the subject holds', async () => {
    const read = await simpleParser(
      written({
        ...mail,
        subject: 'x\r\nBcc: evil@example.com\r\n\r\nbody',
        to: { name: 'a"\r\nBcc: evil@example.com', address: 'a@mail.example' },
      }),
    )
    expect(read.bcc).toBeUndefined()
    expect(read.headers.has('bcc')).toBe(false)
    expect(() =>
      buildMime({ ...mail, to: { name: '', address: 'a@mail.example>\r\nRCPT TO:<b@mail.example' } }),
    ).toThrow('no e-mail address')
    expect(() => buildMime({ ...mail, unsubscribeUrl: 'https://a/\r\nX: y' })).toThrow()
  })
})

describe('the signature', () => {
  it('passes an independent verifier and covers both list headers', async () => {
    const result = await verify(written())
    expect(result?.status.result).toBe('pass')
    const signed = /h=([^;]+);/.exec(written())?.[1]?.split(':') ?? []
    expect(signed.filter((name) => name === 'list-unsubscribe')).toHaveLength(2)
    expect(signed.filter((name) => name === 'list-unsubscribe-post')).toHaveLength(2)
  })

  it.each(['From', 'Subject', 'To', 'Date', 'List-Unsubscribe', 'List-Unsubscribe-Post'])(
    'fails when %s is changed or added once more on the way',
    async (name) => {
      const raw = written()
      const changed = raw.replace(new RegExp(`^${name}: .`, 'm'), `${name}: x`)
      expect(changed).not.toBe(raw)
      expect((await verify(changed))?.status.result).not.toBe('pass')
      expect((await verify(raw.replace('\r\n\r\n', `\r\n${name}: another\r\n\r\n`)))?.status.result).not.toBe('pass')
    },
  )
})

describe('sending', () => {
  let sink: MailSink
  afterEach(() => sink.close())
  async function send(fault?: Fault, pipelining = true) {
    sink = await aMailSink({
      pipelining,
      ...(fault === undefined ? {} : { fault: (_to: string, turn: number) => (turn === 1 ? fault : undefined) }),
    })
    const told: string[] = []
    const connection = await openSmtp(sink.url, {
      beforeFinalDot: (id) => told.push(`D ${id}`),
      afterAnswer: (id, code) => told.push(`A ${id} ${String(code)}`),
    })
    const message = { id: 'm1', from: 'b@bounce.example', to: 'a@mail.example', data: written() }
    const outcome = await connection.send(message)
    const again = connection.open ? await connection.send({ ...message, id: 'm2' }) : undefined
    await connection.quit()
    return { outcome, again, told }
  }

  it('hands the mail over as it was written, dots and all, and notes the instant before the dot', async () => {
    const { outcome, told } = await send()
    expect(outcome).toMatchObject({ kind: 'accepted', code: 250 })
    expect(sink.mails[0]?.raw).toBe(written())
    expect(told.slice(0, 2)).toEqual(['D m1', 'A m1 250'])
  })

  it.each([
    [
      'a refused recipient',
      { at: 'RCPT', code: 550, text: '5.1.1 no such user' },
      { kind: 'rejected', at: 'RCPT', code: 550 },
    ],
    ['a full mailbox', { at: 'RCPT', code: 452, text: '4.2.2 full' }, { kind: 'deferred', at: 'RCPT', code: 452 }],
    [
      'a refusal of the content',
      { at: 'dot', code: 554, text: '5.7.1 no' },
      { kind: 'rejected', at: 'dot', code: 554 },
    ],
    ['a rate limit', { at: 'dot', code: 451, text: '4.7.1 slow down' }, { kind: 'deferred', at: 'dot', code: 451 }],
  ] as const)(
    'says what %s was, and the next mail on the same connection still goes',
    async (_what, fault, outcome) => {
      for (const pipelining of [true, false]) {
        const result = await send(fault, pipelining)
        expect(result.outcome).toMatchObject(outcome)
        expect(result.again).toMatchObject({ kind: 'accepted' })
        await sink.close()
      }
    },
  )

  it('knows that a mail was not sent when the line is cut before the dot', async () => {
    const { outcome, told } = await send({ at: 'drop-before-dot' })
    expect(outcome.kind).toBe('not-sent')
    expect(told).toEqual([])
    expect(sink.mails).toEqual([])
  })

  it('says that it does not know when the line is cut after the dot, and has it in writing', async () => {
    const { outcome, told } = await send({ at: 'drop-after-dot' })
    expect(outcome.kind).toBe('unknown')
    expect(told).toEqual(['D m1'])
    expect(sink.mails).toHaveLength(1)
  })
})

describe('the password of a mail server', () => {
  it('is given to none in the clear, unless that was said outright or it is this machine', async () => {
    const sink = await aMailSink()
    const hooks = { beforeFinalDot: () => undefined, afterAnswer: () => undefined }
    const here = sink.url.replace('smtp://', 'smtp://user:pässword@')
    // The same server by an address that is not known to be this machine.
    const elsewhere = here.replace('127.0.0.1', '0.0.0.0')
    await expect(openSmtp(elsewhere, hooks)).rejects.toThrow('offers no STARTTLS')
    for (const url of [here, `${elsewhere}?insecure=1`, elsewhere.replace('user:pässword@', '')])
      await (await openSmtp(url, hooks)).quit()
    await sink.close()
  })
})

describe('the transmit journal', () => {
  it('tells after a kill which mails were between dot and answer, and ignores a line that was cut off', () => {
    const directory = mkdtempSync(join(tmpdir(), 'il-tj-'))
    const journal = openTransmitJournal(directory, 'dead', true)
    journal.dot('m1')
    journal.answer('m1', 250, '2.0.0 ok\r\nX')
    journal.dot('m2')
    journal.close()
    const cut = openTransmitJournal(directory, 'dead', false)
    cut.close()
    const [read] = readTransmitJournals(directory, 'alive')
    expect(read?.owner).toBe('dead')
    expect([...(read?.messages ?? [])]).toEqual([
      ['m1', { kind: 'answered', code: 250, text: '2.0.0 ok X' }],
      ['m2', { kind: 'dotted' }],
    ])
  })
})
