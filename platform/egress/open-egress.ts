import { lookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { Counter, Registry } from 'prom-client'
import { Agent, buildConnector, errors, request as send, type Dispatcher } from 'undici'
import { isPublic } from './addresses.ts'
import { EgressError, type Egress, type EgressFault, type Outgoing, type Reply } from './egress.ts'

export interface EgressNeeds {
  /** Exactly these `host:port` may be private and may be spoken to without TLS. The host as it stands in the URL. */
  allow?: readonly string[]
  /** All addresses of a name. */
  resolve?: (host: string) => Promise<string[]>
  registry?: Registry
}

const connectMs = 5_000
const wholeMs = 15_000
const replyBytes = 1024 * 1024
/** Ports of the web; others only when they are allowed by name, so that no URL speaks to a mail server or a database. */
const webPorts = new Set([80, 443, 8080, 8443])
const lowestDatabasePort = 1024

const resolveAll = async (host: string) => (await lookup(host, { all: true })).map(({ address }) => address)
const withoutBrackets = (host: string) => host.replace(/^\[|\]$/g, '')
const placeOf = (host: string, port: number) => `${host.toLowerCase().replace(/[.]$/, '')}:${port}`

/**
 * Opens the way out. Each name is resolved when it is connected to, and the connection goes to the very address that was looked at, so a name that is
 * pointed elsewhere in between (DNS rebinding) gains nothing. Proxies of the environment are not used and redirects not followed.
 */
export function createEgress({
  allow = [],
  resolve = resolveAll,
  registry = new Registry(),
}: EgressNeeds = {}): Egress {
  const allowed = new Set(allow.map((place) => place.toLowerCase()))
  const calls = new Counter({
    name: 'interlock_egress_requests_total',
    help: 'Requests that left the house, by purpose and how they ended.',
    labelNames: ['purpose', 'outcome'],
    registers: [registry],
  })
  const isAllowed = (host: string, port: number) => allowed.has(placeOf(host, port))

  /** One public address of a name. All of them must be: a mixed answer is how names are made to point inside. */
  async function addressOf(host: string, port: number): Promise<string> {
    const name = withoutBrackets(host)
    let addresses: string[]
    try {
      addresses = isIP(name) === 0 ? await resolve(name) : [name]
    } catch (error) {
      throw new EgressError('unreachable', error)
    }
    const [first] = addresses
    if (first === undefined) throw new EgressError('unreachable')
    if (!isAllowed(host, port) && !addresses.every(isPublic)) throw new EgressError('denied')
    return first
  }

  const connector = (address: string) => {
    const fixed: LookupFunction = (_, options, answer) => {
      const family = isIP(address)
      if (options.all === true) answer(null, [{ address, family }])
      else answer(null, address, family)
    }
    return buildConnector({ timeout: connectMs, lookup: fixed })
  }
  const agent = new Agent({
    maxHeaderSize: 16 * 1024,
    connections: 16,
    keepAliveTimeout: 4_000,
    connect(options, answer) {
      const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80)
      addressOf(options.hostname, port).then(
        (address) => {
          connector(address)(options, answer)
        },
        (error: unknown) => {
          answer(error instanceof Error ? error : new Error(String(error)), null)
        },
      )
    },
  })

  function check(request: Outgoing): URL {
    const url = URL.canParse(request.url) ? new URL(request.url) : undefined
    if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw new EgressError('denied')
    if (url.username !== '' || url.password !== '') throw new EgressError('denied')
    const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
    if (isAllowed(url.hostname, port)) return url
    const name = withoutBrackets(url.hostname)
    if (!webPorts.has(port) || (isIP(name) !== 0 && !isPublic(name))) throw new EgressError('denied')
    const reads = (request.method ?? 'GET') === 'GET' && request.body === undefined
    if (url.protocol === 'http:' && !reads) throw new EgressError('denied')
    return url
  }

  async function open(request: Outgoing): Promise<Reply & { body: AsyncIterable<Uint8Array> }> {
    const count = (outcome: string) => {
      calls.inc({ purpose: request.purpose, outcome })
    }
    const timeoutMs = request.timeoutMs ?? wholeMs
    const signals = [AbortSignal.timeout(timeoutMs), ...(request.signal === undefined ? [] : [request.signal])]
    let answer: Dispatcher.ResponseData
    try {
      answer = await send(check(request), {
        dispatcher: agent,
        method: request.method ?? 'GET',
        headers: { 'user-agent': 'Interlock', ...request.headers },
        body: request.body ?? null,
        signal: AbortSignal.any(signals),
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      })
    } catch (error) {
      const fault = faultOf(error, 'unreachable')
      count(fault)
      throw error instanceof EgressError ? error : new EgressError(fault, error)
    }
    count('answered')
    return { status: answer.statusCode, headers: headersOf(answer.headers), body: limited(request, answer.body) }
  }

  return {
    open,
    async send(request) {
      const { body, ...reply } = await open(request)
      const parts: Uint8Array[] = []
      for await (const part of body) parts.push(part)
      return { ...reply, body: Buffer.concat(parts) }
    },
    async lookUp({ host, port }) {
      if (!isAllowed(host, port) && port < lowestDatabasePort) throw new EgressError('denied')
      return { address: await addressOf(host, port), port }
    },
    close: () => agent.destroy(),
  }
}

async function* limited(request: Outgoing, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let bytes = 0
  try {
    for await (const part of body) {
      bytes += part.length
      if (bytes > (request.maxReplyBytes ?? replyBytes)) throw new EgressError('too_large')
      yield part
    }
  } catch (error) {
    throw error instanceof EgressError ? error : new EgressError(faultOf(error, 'broken'), error)
  }
}

function faultOf(error: unknown, otherwise: EgressFault): EgressFault {
  if (error instanceof EgressError) return error.fault
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) return 'timeout'
  if (error instanceof errors.HeadersOverflowError) return 'too_large'
  if (error instanceof errors.ConnectTimeoutError) return 'unreachable'
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'timeout'
  // The peer had the request and went away: it may have been received.
  if (error instanceof errors.SocketError || error instanceof errors.HTTPParserError) return 'broken'
  if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') return 'broken'
  return otherwise
}

function headersOf(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  )
}
