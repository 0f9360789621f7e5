import type { Random } from '../../../platform/random/random.ts'

/** How patient a destination's worker is, in ms. */
export interface Patience {
  /** The first wait is up to this long; each next up to twice the one before. */
  baseMs: number
  /** No wait of our own is longer. */
  capMs: number
  /** What a receiver may ask for in Retry-After. */
  askedCapMs: number
  /** After so long without any success, what waited as long becomes dead letters. */
  hopelessMs: number
  /** An event that fails for so long while others are taken is itself the trouble. */
  aloneMs: number
}

export const patience: Patience = {
  baseMs: 1_000,
  capMs: 5 * 60_000,
  askedCapMs: 60 * 60_000,
  hopelessMs: 24 * 3_600_000,
  aloneMs: 3_600_000,
}

/**
 * Exponential back-off with full jitter (M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015): a uniformly random wait up to
 * a bound that doubles, so that destinations that failed together do not come back together. What the receiver asked for is waited at least.
 * @param tries how often it failed so far, from 1
 */
export function waitMs(tries: number, asked: number | undefined, random: Random, of: Patience = patience): number {
  const bound = Math.min(of.capMs, of.baseMs * 2 ** Math.min(tries - 1, 30))
  const [a = 0, b = 0, c = 0] = random.bytes(3)
  const drawn = Math.floor(((a * 65_536 + b * 256 + c) / 16_777_216) * bound)
  return Math.max(drawn, Math.min(Math.max(asked ?? 0, 0), of.askedCapMs))
}

/** Retry-After (RFC 9110, 10.2.3) in ms: seconds or a date; undefined when it is neither. What is past or negative is 0. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  if (/^-?\d+$/.test(text)) return Math.max(0, Number(text) * 1000)
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}
