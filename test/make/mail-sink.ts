import { appendFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'

/** A mail server for tests and benchmarks that does what it is told: takes mail, or fails at a chosen place. It counts by Message-ID. */
export interface MailSink {
  url: string
  /** Raw mails by Message-ID, in the order in which they were accepted (or dropped after the dot, with `drop-after-dot`). */
  mails: { messageId: string; to: string; raw: string }[]
  close(): Promise<void>
}

/** What to do with one message: a code and text at a command, or cutting the line. */
export type Fault =
  | { at: 'RCPT' | 'dot'; code: number; text: string }
  | { at: 'drop-before-dot' }
  | { at: 'drop-after-dot' }
  | { at: 'greeting'; code: number; text: string }

/** @param file appends `Message-ID address` of every accepted mail, for a count that outlives this process; then nothing is kept in memory */
export async function aMailSink(
  options: {
    fault?: (to: string, turn: number) => Fault | undefined
    port?: number
    file?: string
    pipelining?: boolean
  } = {},
): Promise<MailSink> {
  const mails: MailSink['mails'] = []
  const turns = new Map<string, number>()
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    let buffered = ''
    let to = ''
    let inData = false
    let fault: Fault | undefined
    const say = (line: string) => socket.write(`${line}\r\n`)
    const greeting = options.fault?.('', 0)
    if (greeting?.at === 'greeting') {
      say(`${String(greeting.code)} ${greeting.text}`)
      socket.end()
      return
    }
    say('220 sink ESMTP')
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      buffered += chunk
      for (;;) {
        if (inData) {
          const end = buffered.startsWith('.\r\n') ? 0 : buffered.indexOf('\r\n.\r\n')
          if (end < 0) return
          const raw = buffered.slice(0, end === 0 ? 0 : end + 2).replaceAll('\r\n..', '\r\n.')
          buffered = buffered.slice(end === 0 ? 3 : end + 5)
          inData = false
          if (fault?.at === 'dot') {
            say(`${String(fault.code)} ${fault.text}`)
            continue
          }
          const messageId = /^message-id:\s*<([^>]+)>/im.exec(raw)?.[1] ?? ''
          if (options.file === undefined) mails.push({ messageId, to, raw })
          else appendFileSync(options.file, `${messageId} ${to}\n`)
          if (fault?.at === 'drop-after-dot') {
            socket.destroy()
            return
          }
          say('250 taken')
          continue
        }
        const end = buffered.indexOf('\r\n')
        if (end < 0) return
        const line = buffered.slice(0, end)
        buffered = buffered.slice(end + 2)
        const word = line.slice(0, 4).toUpperCase()
        if (word === 'EHLO')
          socket.write(
            options.pipelining === false
              ? '250-sink\r\n250 8BITMIME\r\n'
              : '250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n',
          )
        else if (word === 'RCPT') {
          to = /<([^>]*)>/.exec(line)?.[1] ?? ''
          const turn = (turns.get(to) ?? 0) + 1
          turns.set(to, turn)
          fault = options.fault?.(to, turn)
          if (fault?.at === 'RCPT') say(`${String(fault.code)} ${fault.text}`)
          else say('250 ok')
        } else if (word === 'DATA') {
          if (fault?.at === 'drop-before-dot') socket.destroy()
          else if (fault?.at === 'RCPT') say('503 no recipient')
          else {
            inData = true
            say('354 go on')
          }
        } else if (word === 'QUIT') {
          say('221 bye')
          socket.end()
        } else say('250 ok')
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `smtp://127.0.0.1:${String(typeof address === 'object' && address !== null ? address.port : 0)}`,
    mails,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
