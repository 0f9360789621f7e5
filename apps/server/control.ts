import { randomBytes, timingSafeEqual } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Id } from '../../lib/ids/ids.ts'
import type { Permission } from '../../modules/accounts/contract.ts'
import type { Authorise } from '../../platform/http/http.ts'

/**
 * How the command line of this machine speaks to the server that has the data directory: `server.json` beside the data, readable by its owner
 * only, with the address and a token of this run. Whoever can read it could read the database files too, so it gives away nothing new.
 * It may read, import, verify and save tracking plans, which is what the commands do. It edits nothing that is signed, asks for nothing and administers nothing:
 * otherwise an approver with a shell could be author here and signer in the browser.
 */
export interface RunningServer {
  url: string
  token: string
  pid: number
}

const nameOf = (directory: string) => join(directory, 'server.json')
const scopes: readonly Permission[] = ['data.read', 'data.write', 'audit.read']

export function announceServer(directory: string, url: string): { letIn: Authorise; withdraw(): void } {
  const token = `il_local_${randomBytes(24).toString('base64url')}`
  const expected = Buffer.from(`Bearer ${token}`)
  writeFileSync(nameOf(directory), JSON.stringify({ url, token, pid: process.pid } satisfies RunningServer), {
    mode: 0o600,
  })
  return {
    letIn: (request) => {
      const given = Buffer.from(request.headers.authorization ?? '')
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return Promise.resolve(undefined)
      return Promise.resolve({
        kind: 'api-key',
        accountId: 'command-line' as Id<'account'>,
        name: 'the command line of the server',
        side: 'it',
        roles: [],
        permissions: new Set<string>(scopes),
        sessionId: undefined,
        steppedUpAtMs: undefined,
      })
    },
    withdraw: () => {
      rmSync(nameOf(directory), { force: true })
    },
  }
}

/** The server that has this data directory now; undefined when none does. */
export function runningServer(directory: string): RunningServer | undefined {
  const path = nameOf(directory)
  if (!existsSync(path)) return undefined
  const found = JSON.parse(readFileSync(path, 'utf8')) as RunningServer
  try {
    process.kill(found.pid, 0)
    return found
  } catch {
    return undefined
  }
}

/** The server refused; `code` is that of the table of refusals. */
export class Refused extends Error {
  readonly code: string | undefined
  constructor(message: string, code: string | undefined) {
    super(message)
    this.code = code
  }
}

/**
 * Asks the running server.
 * @param body a value is sent as JSON, a stream as the file that it is
 * @throws Refused with the sentence of its refusal
 */
export async function ask(server: RunningServer, method: string, path: string, body?: unknown): Promise<unknown> {
  const file = body instanceof ReadableStream
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${server.token}`,
      ...(body === undefined ? {} : { 'content-type': file ? 'application/octet-stream' : 'application/json' }),
    },
    body: body === undefined ? null : file ? body : JSON.stringify(body),
    ...(file ? { duplex: 'half' as const } : {}),
  })
  const text = await answer.text()
  const value: unknown = text === '' ? {} : JSON.parse(text)
  if (!answer.ok) {
    const { code, detail, passes } = value as { code?: string; detail?: string; passes?: string }
    throw new Refused(`${detail ?? `The server answered ${String(answer.status)}.`} ${passes ?? ''}`.trim(), code)
  }
  return value
}
