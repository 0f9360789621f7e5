import { simpleParser } from 'mailparser'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { dkimKey, newDkimKey, type DkimKey } from '../../../platform/mail/dkim.ts'
import { checkAddress } from '../../../platform/mail/mime.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { Secrets } from '../../../platform/secrets/secrets.ts'
import type { Actor } from '../../audit/contract.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { Tools } from '../../tools/server/index.ts'
import type { CaughtMail, Route, Sender } from '../contract.ts'

/** A sender as the one who sends needs it. */
export interface SenderToUse {
  id: Id<'sender'>
  name: string
  address: string
  domain: string
  version: number
  editor: Id<'account'>
  key: DkimKey
}

export interface Channels {
  senders(): Promise<Sender[]>
  /** What readers know the company as: the name that was set, or else that of the first sender. */
  company(set: string | undefined): Promise<string>
  createSender(caller: Caller, name: string, address: string): Promise<Sender>
  createSenderAs(tx: Postgres, actor: Actor, name: string, address: string): Promise<Id<'sender'>>
  /** Within a transaction that decides or sends; undefined when there is none. */
  sender(tx: Postgres, id: string): Promise<SenderToUse | undefined>
  /** The tool that stands for the mail route; made when there is none. */
  prepareRoute(): Promise<Id<'tool'>>
  /** As it is, or as it is within a transaction that decides. */
  route(tx?: Postgres): Promise<Route>
  /** Where to connect. */
  smtpUrl(): string
  keep(mail: { from: string; to: string[]; raw: Buffer }): Promise<void>
  inbox(
    search: string,
    before: number | undefined,
  ): Promise<{ mails: CaughtMail[]; total: number; next: number | null }>
  mail(
    id: number,
  ): Promise<CaughtMail & { headers: { name: string; value: string }[]; html: string; text: string; raw: string }>
}

const selector = 'il1'
const keptMails = 50_000
const page = 100

/** Senders, the route that mail takes, and the catcher’s inbox. */
export function createChannels(needs: {
  postgres: Postgres
  clock: Clock
  ids: Ids
  audit: Audit
  secrets: Secrets
  tools: Tools
  /** The configured server; undefined: the catcher. */ smtpUrl: string | undefined
  catcherUrl(): string
}): Channels {
  const { postgres, clock, audit, secrets, tools } = needs
  interface Row {
    id: string
    name: string
    address: string
    domain: string
    selector: string
    private_key: string
    public_key: string
    version: number
    made_by: string
  }
  const place = (id: string) => `channels.sender|${id}|private_key`
  const show = (row: Row): Sender => ({
    id: row.id as Id<'sender'>,
    name: row.name,
    address: row.address,
    domain: row.domain,
    selector: row.selector,
    version: row.version,
    dns: [
      {
        name: `${row.selector}._domainkey.${row.domain}`,
        type: 'TXT',
        value: `v=DKIM1; k=rsa; p=${row.public_key}`,
        why: 'DKIM: proves that a mail is yours and was not changed on the way.',
      },
      {
        name: row.domain,
        type: 'TXT',
        value: 'v=spf1 include:YOUR-MAIL-SERVER ~all',
        why: 'SPF: says which servers may send for this domain. A domain has one such record: where there is one that begins with v=spf1, put the include into it, before its “all”, and change nothing else; a second record makes both void. Put the name that your mail server tells you.',
      },
      {
        name: `_dmarc.${row.domain}`,
        type: 'TXT',
        value: `v=DMARC1; p=none; rua=mailto:dmarc@${row.domain}`,
        why: 'DMARC: tells receivers what to do with mail that fails both, and asks them for reports. Begin with p=none.',
      },
    ],
  })
  async function createSenderAs(tx: Postgres, actor: Actor, name: string, address: string): Promise<Id<'sender'>> {
    const clean = checkAddress(address.trim().toLowerCase())
    if ((await tx.query('SELECT 1 FROM channels.sender WHERE address = $1', [clean])).length > 0)
      throw new Refusal('conflict', `There is a sender ${clean} already.`)
    const id = needs.ids.next('sender')
    const key = newDkimKey()
    await tx.query(
      'INSERT INTO channels.sender (id, name, address, domain, selector, private_key, public_key, made_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
      [
        id,
        name,
        clean,
        clean.slice(clean.lastIndexOf('@') + 1),
        selector,
        secrets.seal(key.privatePem, place(id)),
        key.publicBase64,
        actor.id,
        clock.now(),
      ],
    )
    await audit.write(tx, {
      actor,
      deed: 'sender.created',
      object: { kind: 'sender', id },
      summary: 'added a sender and made its DKIM key',
    })
    return id
  }
  const toolOfRoute = async (tx: Postgres = postgres): Promise<string | undefined> =>
    (await tx.query<{ tool_id: string }>('SELECT tool_id FROM channels.route LIMIT 1'))[0]?.tool_id
  const smtpUrl = () => needs.smtpUrl ?? needs.catcherUrl()

  return {
    company: async (set) =>
      set ??
      (await postgres.query<{ name: string }>('SELECT name FROM channels.sender ORDER BY created_at LIMIT 1'))[0]
        ?.name ??
      'Interlock',
    senders: async () => (await postgres.query<Row>('SELECT * FROM channels.sender ORDER BY created_at')).map(show),
    async createSender(caller, name, address) {
      const id = await postgres.transaction((tx) => createSenderAs(tx, actorOf(caller), name, address))
      const [row] = await postgres.query<Row>('SELECT * FROM channels.sender WHERE id = $1', [id])
      if (row === undefined) throw new Error('a sender vanished')
      return show(row)
    },
    createSenderAs,
    async sender(tx, id) {
      const [row] = await tx.query<Row>('SELECT * FROM channels.sender WHERE id = $1', [id])
      if (row === undefined) return undefined
      return {
        id: row.id as Id<'sender'>,
        name: row.name,
        address: row.address,
        domain: row.domain,
        version: row.version,
        editor: row.made_by as Id<'account'>,
        key: dkimKey(row.domain, row.selector, secrets.open(row.private_key, place(row.id))),
      }
    },
    async prepareRoute() {
      const known = await toolOfRoute()
      if (known !== undefined) return known as Id<'tool'>
      return postgres.transaction(async (tx) => {
        const actor: Actor = { kind: 'system', id: 'channels' }
        const id = await tools.createAs(tx, actor, {
          name: needs.smtpUrl === undefined ? 'Mail route (built-in catcher)' : 'Mail route',
          vendor: needs.smtpUrl === undefined ? 'Interlock' : new URL(needs.smtpUrl).hostname,
          capability: 'Message',
          personalFields: ['email', 'firstName'],
          region: 'EU',
          ownerMarketing: null,
          ownerIt: null,
          endsOn: null,
          costMinor: null,
          status: 'live',
        })
        await tx.query('INSERT INTO channels.route VALUES ($1, $2, $3)', [needs.ids.next('route'), id, clock.now()])
        return id
      })
    },
    async route(tx = postgres) {
      const toolId = await toolOfRoute(tx)
      const tool = toolId === undefined ? undefined : await tools.get(tx, toolId)
      if (tool === undefined) throw new Refusal('not_found', 'There is no mail route.')
      return {
        kind: needs.smtpUrl === undefined ? 'catcher' : 'smtp',
        host: new URL(smtpUrl()).host,
        toolId: tool.id,
        toolName: tool.name,
        usable: tool.blockedBecause === null,
        because: tool.blockedBecause,
      }
    },
    smtpUrl,
    async keep({ from, to, raw }) {
      // Only the head is read now: the rest when somebody opens the mail.
      const head = raw.subarray(0, Math.max(0, raw.indexOf('\r\n\r\n'))).toString('latin1')
      const parsed = await simpleParser(`${head}\r\n\r\n`)
      for (const address of to)
        await postgres.query(
          'INSERT INTO channels.caught_mail (at, envelope_from, envelope_to, from_text, subject, raw) VALUES ($1, $2, $3, $4, $5, $6)',
          [
            clock.now(),
            from,
            address.toLowerCase(),
            parsed.from?.text ?? from,
            (parsed.subject ?? '').replaceAll('\u0000', ''),
            raw,
          ],
        )
      if (clock.ms() % 97 === 0)
        await postgres.query(
          'DELETE FROM channels.caught_mail WHERE id <= (SELECT max(id) FROM channels.caught_mail) - $1',
          [keptMails],
        )
    },
    async inbox(search, before) {
      const like = `%${search.trim().replace(/[\\%_]/g, '\\$&')}%`
      const rows = await postgres.query<{
        id: number
        at: Date
        from_text: string
        envelope_to: string
        subject: string
      }>(
        'SELECT id, at, from_text, envelope_to, subject FROM channels.caught_mail WHERE ($1::bigint IS NULL OR id < $1) AND (envelope_to ILIKE $2 OR subject ILIKE $2) ORDER BY id DESC LIMIT $3',
        [before ?? null, like, page + 1],
      )
      const [counted] = await postgres.query<{ n: number }>(
        'SELECT count(*) AS n FROM channels.caught_mail WHERE envelope_to ILIKE $1 OR subject ILIKE $1',
        [like],
      )
      const shown = rows.slice(0, page)
      return {
        mails: shown.map((row) => ({
          id: row.id,
          at: row.at.toISOString(),
          from: row.from_text,
          to: row.envelope_to,
          subject: row.subject,
        })),
        total: counted?.n ?? 0,
        next: rows.length > page ? (shown.at(-1)?.id ?? null) : null,
      }
    },
    async mail(id) {
      const [row] = await postgres.query<{
        id: number
        at: Date
        from_text: string
        envelope_to: string
        subject: string
        raw: Buffer
      }>('SELECT * FROM channels.caught_mail WHERE id = $1', [id])
      if (row === undefined)
        throw new Refusal('not_found', 'There is no such mail; the catcher keeps the newest 50,000.')
      const parsed = await simpleParser(row.raw)
      return {
        id: row.id,
        at: row.at.toISOString(),
        from: row.from_text,
        to: row.envelope_to,
        subject: row.subject,
        headers: parsed.headerLines.map((header) => ({
          name: header.key,
          value: header.line.slice(header.line.indexOf(':') + 1).trim(),
        })),
        html: typeof parsed.html === 'string' ? parsed.html : '',
        text: parsed.text ?? '',
        raw: row.raw.toString('utf8'),
      }
    },
  }
}
