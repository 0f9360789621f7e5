import { connect as connectTcp, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'

/** What became of one message. `unknown`: the connection went between its final dot and the answer. */
export type SmtpOutcome =
  | { kind: 'accepted'; code: number; text: string }
  | { kind: 'deferred'; at: 'MAIL' | 'RCPT' | 'DATA' | 'dot'; code: number; text: string }
  | { kind: 'rejected'; at: 'MAIL' | 'RCPT' | 'DATA' | 'dot'; code: number; text: string }
  | { kind: 'not-sent'; text: string }
  | { kind: 'unknown'; text: string }

export interface SmtpMessage {
  id: string
  from: string
  to: string
  /** Headers and body with CRLF, dots not yet doubled. */
  data: string
}

export interface SmtpHooks {
  /** Called, synchronously, before the final dot is written. */
  beforeFinalDot(id: string): void
  /** Called, synchronously, when the answer to the dot has come. */
  afterAnswer(id: string, code: number, text: string): void
}

export interface SmtpConnection {
  send(message: SmtpMessage): Promise<SmtpOutcome>
  /** Messages sent on it. */
  readonly sent: number
  /** False once it can no longer be used. */
  readonly open: boolean
  quit(): Promise<void>
}

interface Reply {
  code: number
  lines: string[]
}

const commandMs = 60_000
const dataMs = 300_000

/** The connection was lost or the server did not answer in time. */
class Lost extends Error {}

const loopback = ['localhost', '127.0.0.1', '[::1]', '::1']
/** Whether the URL says outright that name and password may go in the clear. */
const inTheClear = (target: URL) => target.searchParams.get('insecure') === '1'

/** Where mail would go, as a sentence for doctor says it: without name and password. */
export function smtpPlace(url: string): { host: string; port: number; loopback: boolean } {
  const target = new URL(url)
  return {
    host: target.hostname,
    port: target.port === '' ? (target.protocol === 'smtps:' ? 465 : 587) : Number(target.port),
    loopback: loopback.includes(target.hostname),
  }
}

/**
 * Opens a connection to a mail server: `smtp://` (STARTTLS when offered), `smtps://`. MAIL, RCPT and DATA go in one packet when the server
 * knows PIPELINING (RFC 2920). Name and password are given to nobody in the clear, but on loopback or with `?insecure=1`: whoever sits in
 * between takes STARTTLS out of the offer and reads along (RFC 3207 section 6).
 * @param patienceMs how long each answer may take until it is open
 * @throws Lost when it cannot be reached or greets with a refusal, or wants the password without encryption
 */
export async function openSmtp(url: string, hooks: SmtpHooks, patienceMs = commandMs): Promise<SmtpConnection> {
  const target = new URL(url)
  const secure = target.protocol === 'smtps:'
  const { port, loopback: local } = smtpPlace(url)
  const tls: ConnectionOptions = { host: target.hostname, servername: target.hostname }

  let socket: Socket = secure ? connectTls({ ...tls, port }) : connectTcp({ host: target.hostname, port })
  let buffered = ''
  let replies: Reply[] = []
  let partial: string[] = []
  let waiting: ((reply: Reply | Error) => void)[] = []
  let open = true
  let sent = 0
  let encrypted = secure

  const fail = (error: Error) => {
    open = false
    const all = waiting
    waiting = []
    for (const wake of all) wake(error)
  }
  function listen(on: Socket): void {
    on.setEncoding('utf8')
    on.setNoDelay(true)
    on.on('data', (chunk: string) => {
      buffered += chunk
      for (;;) {
        const end = buffered.indexOf('\n')
        if (end < 0) break
        const line = buffered.slice(0, end).replace(/\r$/, '')
        buffered = buffered.slice(end + 1)
        partial.push(line.slice(4))
        if (partial.length > 200) {
          on.destroy(new Lost('the server talks without end'))
          return
        }
        if (line.charAt(3) === '-') continue
        const reply = { code: Number(line.slice(0, 3)), lines: partial }
        partial = []
        const wake = waiting.shift()
        if (wake === undefined) replies.push(reply)
        else wake(reply)
      }
      if (buffered.length > 65_536) on.destroy(new Lost('the server sends a line without end'))
    })
    on.on('error', (error) => {
      fail(new Lost(error.message))
    })
    on.on('close', () => {
      fail(new Lost('the server closed the connection'))
    })
  }
  const answer = (ms: number): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const early = replies.shift()
      if (early !== undefined) {
        resolve(early)
        return
      }
      if (!open) {
        reject(new Lost('the connection is closed'))
        return
      }
      const timer = setTimeout(() => socket.destroy(new Lost(`no answer within ${String(ms / 1000)} seconds`)), ms)
      waiting.push((reply) => {
        clearTimeout(timer)
        if (reply instanceof Error) reject(reply)
        else resolve(reply)
      })
    })
  const ask = async (line: string, ms = commandMs): Promise<Reply> => {
    socket.write(`${line}\r\n`)
    return answer(ms)
  }
  const good = (reply: Reply, what: string): Reply => {
    if (reply.code >= 400 || Number.isNaN(reply.code))
      throw new Lost(`${what}: ${String(reply.code)} ${reply.lines.join(' ')}`)
    return reply
  }

  listen(socket)
  const name = hostname().replace(/[^A-Za-z0-9.-]/g, '') || 'localhost'
  let features: string[] = []
  const hello = async () => {
    features = good(await ask(`EHLO ${name}`, patienceMs), 'EHLO').lines.map((line) => line.toUpperCase())
  }
  try {
    good(await answer(patienceMs), 'greeting')
    await hello()
    if (!secure && features.includes('STARTTLS') && !local) {
      good(await ask('STARTTLS', patienceMs), 'STARTTLS')
      const plain = socket
      plain.removeAllListeners()
      // Whatever came before the handshake is not to be believed (CVE-2011-0411).
      buffered = ''
      replies = []
      socket = connectTls({ ...tls, socket: plain })
      listen(socket)
      encrypted = true
      await hello()
    }
    if (target.username !== '' && !encrypted && !local && !inTheClear(target))
      throw new Lost(
        `${target.hostname} offers no STARTTLS, so name and password would go in the clear. Use smtps://, or add ?insecure=1 to INTERLOCK_SMTP_URL if the network in between is yours`,
      )
    if (target.username !== '') {
      const user = decodeURIComponent(target.username)
      const password = decodeURIComponent(target.password)
      good(
        await ask(`AUTH PLAIN ${Buffer.from(`\u0000${user}\u0000${password}`).toString('base64')}`, patienceMs),
        'AUTH',
      )
    }
  } catch (error) {
    socket.destroy()
    throw error
  }
  const pipelining = features.includes('PIPELINING')
  const eightBit = features.includes('8BITMIME') ? ' BODY=8BITMIME' : ''
  const utf8 = features.includes('SMTPUTF8')

  const refused = (at: 'MAIL' | 'RCPT' | 'DATA' | 'dot', reply: Reply): SmtpOutcome => ({
    kind: reply.code >= 500 ? 'rejected' : 'deferred',
    at,
    code: reply.code,
    text: reply.lines.join(' ').slice(0, 500),
  })

  async function transmit(message: SmtpMessage): Promise<SmtpOutcome> {
    const needsUtf8 = /[^\u0000-\u007f]/.test(message.from + message.to)
    if (needsUtf8 && !utf8)
      return {
        kind: 'rejected',
        at: 'RCPT',
        code: 553,
        // RFC 6531 section 3.5: this server cannot, which says nothing against the address.
        text: '5.6.7 the address has letters that this mail server cannot carry (no SMTPUTF8)',
      }
    const mail = `MAIL FROM:<${message.from}>${eightBit}${needsUtf8 ? ' SMTPUTF8' : ''}`
    const to = `RCPT TO:<${message.to}>`
    let first: Reply
    let second: Reply
    let third: Reply
    if (pipelining) {
      socket.write(`${mail}\r\n${to}\r\nDATA\r\n`)
      first = await answer(commandMs)
      second = await answer(commandMs)
      third = await answer(commandMs)
    } else {
      first = await ask(mail)
      second = first.code < 400 ? await ask(to) : first
      third = second.code < 400 ? await ask('DATA') : second
    }
    if (third.code === 354 && (first.code >= 400 || second.code >= 400)) {
      // The server wants data although nobody is to get it: give it nothing, and no recipient receives it.
      await ask('.', dataMs)
    }
    if (first.code >= 400) return reset(refused('MAIL', first))
    if (second.code >= 400) return reset(refused('RCPT', second))
    if (third.code !== 354) return reset(refused('DATA', third))
    const stuffed = message.data.startsWith('.') ? `.${message.data}` : message.data
    const text = stuffed.replaceAll('\r\n.', '\r\n..')
    socket.write(text.endsWith('\r\n') ? text : `${text}\r\n`)
    hooks.beforeFinalDot(message.id)
    let last: Reply
    try {
      last = await ask('.', dataMs)
    } catch (error) {
      return { kind: 'unknown', text: error instanceof Error ? error.message : 'the connection was lost' }
    }
    hooks.afterAnswer(message.id, last.code, last.lines.join(' '))
    sent += 1
    if (last.code >= 400) return reset(refused('dot', last))
    return { kind: 'accepted', code: last.code, text: last.lines.join(' ').slice(0, 500) }
  }
  /** After a refusal the dialogue starts anew, or the next message would be refused for the sake of this one. */
  async function reset(outcome: SmtpOutcome): Promise<SmtpOutcome> {
    if ('code' in outcome && outcome.code === 421) {
      open = false
      socket.destroy()
      return outcome
    }
    try {
      good(await ask('RSET'), 'RSET')
    } catch {
      open = false
      socket.destroy()
    }
    return outcome
  }

  return {
    get sent() {
      return sent
    },
    get open() {
      return open
    },
    async send(message) {
      try {
        return await transmit(message)
      } catch (error) {
        open = false
        socket.destroy()
        return { kind: 'not-sent', text: error instanceof Error ? error.message : 'the connection was lost' }
      }
    },
    async quit() {
      if (open) await ask('QUIT', 5_000).catch(() => undefined)
      open = false
      socket.destroy()
    },
  }
}
