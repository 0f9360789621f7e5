import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { EgressError, type Outgoing } from '../egress/egress.ts'
import { DatabaseProblem, type SalesforceAddress, type Ways } from './database.ts'

const tooLong = 'An answer of Salesforce is longer than the 32 MiB that are taken; leave the long fields out.'
/** Results of a job are asked for in the version it was made in; columns come in the order of the query from 50.0 on. */
export const version = '62.0'
const timeoutMs = 60_000
/** Packed and unpacked. Lists and descriptions of a large company are several MiB. */
const replyBytes = 32 * 1024 * 1024
/** A refusal that passes by itself, and a connection that broke, is tried again after so many ms. */
const pauses = [1_000, 4_000, 10_000]
const longestPause = 20_000

const Token = z.object({ access_token: z.string().min(1), instance_url: z.url() })
const TokenRefusal = z.object({ error: z.string(), error_description: z.string().optional() })
const Refusals = z.array(z.object({ errorCode: z.string(), message: z.string() })).min(1)

/** An answer that is no refusal. */
export interface Answer {
  headers: Record<string, string>
  body: Buffer
}

export interface Session {
  /**
   * One request below `/services/data/v…`. An ended session is begun again once; 429, 503 and broken connections are tried again a few times.
   * @throws DatabaseProblem with a sentence; SalesforceGone for what is not there; TooLarge for an answer beyond 32 MiB
   */
  ask(request: Pick<Outgoing, 'method'> & { path: string; body?: object }): Promise<Answer>
  /** What Salesforce says, without the secret and the session if it repeats them: sentences are shown and kept. */
  hush(said: string): string
}

/** There is nothing at this path, any more. */
export class SalesforceGone extends DatabaseProblem {}
/** The answer is longer than is taken: ask for fewer rows. */
export class TooLarge extends DatabaseProblem {}

/** Logs in with the OAuth 2.0 client-credentials flow (RFC 6749, 4.4), as the user whom the app in Salesforce names. @throws DatabaseProblem */
export async function beginSession(address: SalesforceAddress, ways: Ways): Promise<Session> {
  let token = await logIn(address, ways)
  const hush = (said: string) => without(said, [address.password, token.access])
  return {
    hush,
    async ask({ path, method = 'GET', body }) {
      for (let ended = 0; ; ended += 1) {
        const answer = await patiently(ways, {
          url: `${token.instance}/services/data/v${version}${path}`,
          method,
          headers: {
            authorization: `Bearer ${token.access}`,
            'accept-encoding': 'gzip',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        })
        if (answer.status < 300) return answer
        const { code, message } = refusalOf(answer)
        // The session lasts as long as the company decided; a run may last longer.
        if (answer.status !== 401 || ended > 0) throw problemOf(answer.status, hush(code), hush(message))
        token = await logIn(address, ways)
      }
    },
  }
}

async function logIn(address: SalesforceAddress, ways: Ways): Promise<{ access: string; instance: string }> {
  const answer = await patiently(ways, {
    url: `${address.loginUrl}/services/oauth2/token`,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: address.clientId,
      client_secret: address.password,
    }).toString(),
  })
  const said = jsonOf(answer)
  const token = Token.safeParse(said)
  if (answer.status < 300 && token.success) {
    const instance = new URL(token.data.instance_url)
    // What may read everything goes in the clear to no place but the one that was typed so.
    if (instance.protocol !== 'https:' && instance.origin !== new URL(address.loginUrl).origin)
      throw new DatabaseProblem('Salesforce names a place without encryption; nothing was asked there.')
    return { access: token.data.access_token, instance: instance.origin }
  }
  const refused = TokenRefusal.safeParse(said)
  if (!refused.success)
    throw new DatabaseProblem(
      answer.status === 429 || answer.status === 503
        ? busy(answer.status)
        : `${new URL(address.loginUrl).host} does not answer as Salesforce does (${String(answer.status)}). Is it the company’s own domain, as in https://acme.my.salesforce.com?`,
    )
  const [error, description] = [refused.data.error, refused.data.error_description ?? ''].map((said) =>
    without(said, [address.password]),
  ) as [string, string]
  throw new DatabaseProblem(logInSentence(error, description))
}

const without = (said: string, secrets: readonly string[]) =>
  secrets.reduce((text, secret) => text.replaceAll(secret, '…'), said)

function logInSentence(error: string, description: string): string {
  if (/invalid_client/.test(error)) return 'Salesforce does not accept this client ID with this secret.'
  if (/domain/i.test(description))
    return 'The client-credentials flow works at the company’s own domain only, as in https://acme.my.salesforce.com.'
  if (/user/i.test(description))
    return 'The app in Salesforce names no user to run as. Choose one under “Client Credentials Flow” in its policies.'
  return `Salesforce did not let us in: ${(description || error).slice(0, 300)}`
}

const busy = (status: number) =>
  `Salesforce takes no more requests for the moment (${String(status)}). The next run reads what this one did not.`

/** Sends, and again after a pause where that may help. */
async function patiently(
  { egress, clock }: Pick<Ways, 'egress' | 'clock'>,
  request: Omit<Outgoing, 'purpose'>,
): Promise<Answer & { status: number }> {
  for (let tries = 0; ; tries += 1) {
    const pause = pauses[tries]
    try {
      const reply = await egress.send({ ...request, purpose: 'salesforce', timeoutMs, maxReplyBytes: replyBytes })
      if ((reply.status !== 429 && reply.status !== 503) || pause === undefined)
        return { status: reply.status, headers: reply.headers, body: unpacked(reply) }
      const wanted = Number(reply.headers['retry-after']) * 1000
      await clock.sleep(wanted > 0 ? Math.min(wanted, longestPause) : pause)
    } catch (error) {
      if (!(error instanceof EgressError)) throw error
      const passes = error.fault === 'broken' || error.fault === 'timeout' || error.fault === 'unreachable'
      // What was asked for twice is read twice; what was ordered twice is there twice.
      if (!passes || (request.method ?? 'GET') !== 'GET' || pause === undefined) throw sayingWhere(error, request.url)
      await clock.sleep(pause)
    }
  }
}

function sayingWhere(error: EgressError, url: string): DatabaseProblem {
  const { hostname, port, protocol } = new URL(url)
  const place = `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`
  if (error.fault === 'too_large') return new TooLarge(tooLong)
  const problem = new DatabaseProblem(
    error.fault === 'denied'
      ? `This address is not allowed. Ask an administrator to allow exactly ${place} (INTERLOCK_EGRESS_ALLOW).`
      : `${place}: ${error.message}`,
  )
  problem.cause = error
  return problem
}

function unpacked({ headers, body }: { headers: Record<string, string>; body: Uint8Array }): Buffer {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (!/gzip/i.test(headers['content-encoding'] ?? '')) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: replyBytes })
  } catch (error) {
    if (error instanceof RangeError) throw new TooLarge(tooLong)
    throw new DatabaseProblem('An answer of Salesforce could not be unpacked.')
  }
}

/** An answer as JSON; undefined for anything else. */
export function jsonOf({ body }: { body: Buffer }): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

function refusalOf(answer: Answer): { code: string; message: string } {
  const [first] = Refusals.safeParse(jsonOf(answer)).data ?? []
  return { code: first?.errorCode ?? '', message: (first?.message ?? '').replaceAll(/\s+/g, ' ').trim() }
}

/** What Salesforce's codes mean to whoever set up the pull. */
function problemOf(status: number, code: string, message: string): DatabaseProblem {
  const said = message === '' ? `${code || 'nothing'} (${String(status)})` : message.slice(0, 300)
  if (code === 'REQUEST_LIMIT_EXCEEDED' || code === 'LIMIT_EXCEEDED')
    return new DatabaseProblem(
      'The company’s requests to Salesforce for these 24 hours are used up. The next run reads what this one did not.',
    )
  if (status === 401)
    return new DatabaseProblem(
      'Salesforce ended the session, and the next one at once. Look whether the user of the app may use the API.',
    )
  if (status === 429 || status === 503) return new DatabaseProblem(busy(status))
  if (status === 404) return new SalesforceGone(`Salesforce has no such object, or this user may not see it: ${said}`)
  if (code === 'INVALID_FIELD')
    return new DatabaseProblem(`A field is not there any more, or this user may not see it. Salesforce said: ${said}`)
  if (code === 'INVALID_TYPE')
    return new DatabaseProblem(
      `The object is not there any more, or this user may not see it. Salesforce said: ${said}`,
    )
  if (code === 'API_DISABLED_FOR_ORG' || code === 'API_CURRENTLY_DISABLED')
    return new DatabaseProblem('This Salesforce has no API: its edition or a setting leaves it out.')
  return new DatabaseProblem(`Salesforce said: ${said}`)
}
