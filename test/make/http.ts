import { fastify, type FastifyInstance } from 'fastify'
import { connect } from 'node:net'
import { afterAll } from 'vitest'

/** A bare web server on a free port with these plugins on it, closed when the test file ends. */
export async function aBareServer(
  ...plugins: ((scope: FastifyInstance) => Promise<void>)[]
): Promise<{ app: FastifyInstance; port: number }> {
  const app = fastify({ logger: false, routerOptions: { maxParamLength: 300 } })
  for (const plugin of plugins) await app.register(plugin)
  await app.listen({ host: '127.0.0.1', port: 0 })
  afterAll(() => app.close())
  const address = app.server.address()
  return { app, port: typeof address === 'object' && address !== null ? address.port : 0 }
}

/** Sends these very bytes and gives back all that comes, as text. */
export function sayOnSocket(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let heard = ''
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')))
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1')
      // The answer carries its length, and nothing more is asked on this connection.
      const [head = '', body] = heard.split('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN)
      if (body !== undefined && body.length >= length) socket.end()
    })
    socket.on('close', () => resolve(heard))
    socket.on('error', reject)
    socket.write(bytes, 'latin1')
  })
}
