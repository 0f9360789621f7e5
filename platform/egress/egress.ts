import type { Readable } from 'node:stream'

/** One HTTP request that leaves the house. */
export interface Outgoing {
  /** For what, a short word for metrics and logs: `webhook`, `import`, `salesforce`. */
  purpose: string
  /** https everywhere; http for a GET without a body, or when the administrator allowed exactly this host and port. */
  url: string
  /** GET unless it is said. */
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  headers?: Record<string, string>
  body?: string | Uint8Array | Readable
  /** For all of it, in ms; 15,000 unless it is said. */
  timeoutMs?: number
  /** The answer may be as long as this; 1 MiB unless it is said. */
  maxReplyBytes?: number
  /** Ends it early. */
  signal?: AbortSignal
}

/** The answer. A redirect is an answer like any other and is not followed. */
export interface Reply {
  status: number
  /** Names in lower case; several of one name are joined by commas. */
  headers: Record<string, string>
}

/**
 * Why nothing came back. `denied`: the address is not on the public internet and not allowed, or the URL is not one we call; nothing was sent.
 * `unreachable`: no connection. `timeout`, `too_large`, `broken`: it was perhaps received. The text is the same for every address of a kind, so that
 * nobody can find out by asking what our network looks like.
 */
export type EgressFault = 'denied' | 'unreachable' | 'timeout' | 'too_large' | 'broken'

/** Thrown when a request brought no answer. */
export class EgressError extends Error {
  readonly fault: EgressFault
  constructor(fault: EgressFault, cause?: unknown) {
    super(sentences[fault], cause === undefined ? {} : { cause })
    this.name = 'EgressError'
    this.fault = fault
  }
}

const sentences: Record<EgressFault, string> = {
  denied:
    'This address is not allowed. Use https and a host on the public internet, or ask an administrator to allow exactly this host and port (INTERLOCK_EGRESS_ALLOW).',
  unreachable: 'The host could not be reached.',
  timeout: 'The host did not answer in time.',
  too_large: 'The answer is longer than is taken.',
  broken: 'The connection broke before the answer was complete.',
}

/** The only way out of the house, but for mail (platform/mail) and the engines' own connections. */
export interface Egress {
  /** Sends and reads the whole answer. @throws EgressError */
  send(request: Outgoing): Promise<Reply & { body: Uint8Array }>
  /** Sends and hands on the answer's bytes as they come; read to the end, or leave the loop, which ends the connection. @throws EgressError, also from `body` */
  open(request: Outgoing): Promise<Reply & { body: AsyncIterable<Uint8Array> }>
  /**
   * The address at which a server that speaks no HTTP (a database) may be called: connect to exactly this address, and to the name only for TLS, so
   * that the name cannot be pointed elsewhere in between. @throws EgressError
   */
  lookUp(place: { host: string; port: number }): Promise<{ address: string; port: number }>
  close(): Promise<void>
}
