import ipaddr from 'ipaddr.js'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'

const minuteMs = 60_000
const hourMs = 3_600_000
const remembered = 20_000
const limits = {
  /** For one e-mail address from one network, a minute. */
  pair: 10,
  /** For one network, a minute: an office shares one. */
  network: 60,
  /** For one e-mail address from everywhere, an hour; what comes after is let through one a second. */
  everywhere: 50,
  /** Proofs within one session, a minute, and for one person, an hour. */
  session: 10,
  person: 30,
} as const
const paceMs = 1_000
const longestWaitMs = 10_000

/** Who asks, as far as an address tells: IPv4 as it is, IPv6 by its /64, because one machine has all of that. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  return 'parts' in parsed ? `${parsed.parts.slice(0, 4).join(':')}/64` : parsed.toString()
}

/** The address as it is kept: nobody gets a fresh counter by a space or a capital letter. */
export const plainEmail = (email: string) => email.trim().toLowerCase()

/**
 * Limits tries in bounded memory. Signing in is counted for an e-mail address within one network, so that a stranger elsewhere cannot lock
 * somebody out, and more slowly for the address from everywhere, where too many tries wait and whoever signed in from this network before does
 * not. Proofs of people who are signed in have counters of their own.
 */
export function createTries(clock: Clock) {
  const seen = new Map<string, { from: number; count: number }>()
  const knownPairs = new Map<string, true>()
  const nextTurn = new Map<string, number>()
  const keep = <Value>(map: Map<string, Value>, key: string, value: Value) => {
    map.delete(key)
    map.set(key, value)
    if (map.size > remembered) {
      const [oldest] = map.keys()
      if (oldest !== undefined) map.delete(oldest)
    }
  }
  const count = (key: string, windowMs: number) => {
    const now = clock.ms()
    const entry = seen.get(key)
    const current = entry !== undefined && now - entry.from < windowMs ? entry : { from: now, count: 0 }
    current.count += 1
    keep(seen, key, current)
    return { count: current.count, leftMs: current.from + windowMs - now }
  }
  const refuse = (waitMs: number) => {
    throw new Refusal('too_many_tries', undefined, { retryAfterSeconds: Math.ceil(waitMs / 1_000) })
  }
  const limit = (key: string, windowMs: number, most: number) => {
    const counted = count(key, windowMs)
    if (counted.count > most) refuse(counted.leftMs)
  }
  return {
    /** Counts before the password is looked at, so that many at once count too. @throws Refusal('too_many_tries') */
    async signIn(email: string, address: string): Promise<void> {
      const network = networkOf(address)
      limit(`network ${network}`, minuteMs, limits.network)
      limit(`pair ${email} ${network}`, minuteMs, limits.pair)
      if (knownPairs.has(`${email} ${network}`)) return
      if (count(`everywhere ${email}`, hourMs).count <= limits.everywhere) return
      const now = clock.ms()
      const turn = Math.max(now, nextTurn.get(email) ?? 0) + paceMs
      if (turn - now > longestWaitMs) refuse(turn - now)
      keep(nextTurn, email, turn)
      await clock.sleep(turn - now)
    },
    signedIn(email: string, address: string): void {
      const network = networkOf(address)
      seen.delete(`pair ${email} ${network}`)
      const everywhere = seen.get(`everywhere ${email}`)
      if (everywhere !== undefined && !knownPairs.has(`${email} ${network}`)) everywhere.count -= 1
      keep(knownPairs, `${email} ${network}`, true)
    },
    /** A code, passkey or password of somebody who is signed in. @throws Refusal('too_many_tries') */
    proof(personId: string, sessionId: string): void {
      limit(`session ${sessionId}`, minuteMs, limits.session)
      limit(`person ${personId}`, hourMs, limits.person)
    },
    proved(personId: string, sessionId: string): void {
      seen.delete(`session ${sessionId}`)
      seen.delete(`person ${personId}`)
    },
  }
}
export type Tries = ReturnType<typeof createTries>
