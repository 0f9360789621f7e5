import type { FastifyContextConfig, FastifyInstance } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is a file of any length. */
    upload?: boolean
    /** Whoever is late may send the same again: they are told so, because not every client tries again after a 408. */
    tryAgain?: boolean
  }
}

/** How long a request may take to arrive, in milliseconds. */
export interface Patience {
  /** From its first byte to its last; for an upload, without a single byte. */
  stillMs: number
  /** For an upload as a whole. */
  uploadMs: number
}
export const patience: Patience = { stillMs: 30_000, uploadMs: 30 * 60_000 }

/** Ends requests whose body does not come: most within `stillMs` as a whole, uploads when nothing came for so long. */
export function loseThePatience(app: FastifyInstance, { stillMs, uploadMs }: Patience): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = request
    const hasBody = raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length'] ?? 0) > 0
    if (hasBody) watch(raw, reply.raw, request.routeOptions.config)
    done()
  })

  function watch(request: IncomingMessage, response: ServerResponse, { upload, tryAgain }: FastifyContextConfig): void {
    const { socket } = request
    let looks = 0
    let before = socket.bytesRead
    const timer = setInterval(() => {
      looks += 1
      if (request.complete) stop()
      else if (upload === true && socket.bytesRead > before && looks * stillMs < uploadMs) before = socket.bytesRead
      else {
        stop()
        if (!response.headersSent) {
          const answer = tryAgain === true ? '503 Service Unavailable\r\nRetry-After: 2' : '408 Request Timeout'
          socket.write(`HTTP/1.1 ${answer}\r\nConnection: close\r\n\r\n`)
        }
        socket.destroySoon()
      }
    }, stillMs)
    timer.unref()
    const stop = () => {
      clearInterval(timer)
    }
    request.once('close', stop)
    response.once('close', stop)
  }
}
