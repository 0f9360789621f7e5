import { SMTPServer } from 'smtp-server'
import type { Log } from '../log/log.ts'

/** The built-in mail catcher: a real SMTP server on loopback that keeps every mail and sends none on. */
export interface Catcher {
  url: string
  close(): Promise<void>
}

/** @param keep stores one mail; the sender gets its 250 only when it resolved */
export async function startCatcher(
  keep: (mail: { from: string; to: string[]; raw: Buffer }) => Promise<void>,
  log: Log,
  port = 0,
): Promise<Catcher> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    size: 30 * 1024 * 1024,
    logger: false,
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        keep({
          from: session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address,
          to: session.envelope.rcptTo.map((to) => to.address),
          raw: Buffer.concat(chunks),
        }).then(
          () => done(),
          (error: unknown) => {
            log.error('the mail catcher could not keep a mail', error)
            const refusal = new Error('cannot keep it now') as Error & { responseCode: number }
            refusal.responseCode = 451
            done(refusal)
          },
        )
      })
    },
  })
  server.on('error', (error) => {
    log.warn('the mail catcher had trouble', { because: error.message })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const bound = server.server.address()
  return {
    url: `smtp://127.0.0.1:${String(typeof bound === 'object' && bound !== null ? bound.port : port)}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
