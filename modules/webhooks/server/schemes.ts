import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Scheme, SchemeKind } from '../contract.ts'

export interface Signed {
  /** Names in small letters. */
  headers: Readonly<Record<string, string>>
  /** Exactly as it came, before anything is unpacked or read. */
  raw: Buffer
  /** When it came. */
  atMs: number
}

interface Way {
  /** Whether one of the secrets made the signature of these bytes, lately where the scheme says when. */
  verify(signed: Signed, secrets: readonly string[]): boolean
  /** The sender's own id of what it sends, the same when it is sent again. */
  key(signed: Signed): string | undefined
  /** What is not sent again after a failure must be kept whatever happens here. */
  sendsAgain: boolean
  /** A call that only tries whether the address answers. */
  isPing?(signed: Signed): boolean
}

/** How far the sender's clock may be off, in both directions: 5 minutes at Standard Webhooks and at Stripe. */
const toleranceMs = 300_000

const mac = (secret: string | Buffer, ...parts: (string | Buffer)[]) => {
  const hmac = createHmac('sha256', secret)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}
/** In constant time for all of one length. */
const same = (a: Buffer, b: Buffer) => a.length === b.length && timingSafeEqual(a, b)
const decoded = (text: string, encoding: 'hex' | 'base64') => Buffer.from(text.trim(), encoding)
const isLately = (seconds: string, atMs: number) =>
  /^\d{1,12}$/.test(seconds) && Math.abs(atMs - Number(seconds) * 1000) <= toleranceMs

const bodySigned = (header: string, key: (signed: Signed) => string | undefined, sendsAgain: boolean): Way => ({
  verify: ({ headers, raw }, secrets) =>
    secrets.some((secret) => same(mac(secret, raw), decoded(headers[header] ?? '', 'base64'))),
  key,
  sendsAgain,
})

/** The registry of ways to sign. Each of them is checked against its published description; Standard Webhooks also against its own library. */
const ways: { readonly [Kind in SchemeKind]: (scheme: Extract<Scheme, { kind: Kind }>) => Way } = {
  /** standard-webhooks spec 1.0: `v1,<base64>` of `id.timestamp.body`, several with spaces between; the secret is base64 behind `whsec_`. */
  standard: () => ({
    verify({ headers, raw, atMs }, secrets) {
      const id = headers['webhook-id'] ?? ''
      const seconds = headers['webhook-timestamp'] ?? ''
      if (id === '' || !isLately(seconds, atMs)) return false
      const given = (headers['webhook-signature'] ?? '').split(' ').filter((one) => one.startsWith('v1,'))
      return secrets.some((secret) => {
        const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
        const right = mac(key, `${id}.${seconds}.`, raw)
        return given.some((one) => same(right, decoded(one.slice(3), 'base64')))
      })
    },
    key: ({ headers }) => headers['webhook-id'],
    sendsAgain: true,
  }),
  /** shopify.dev, “Verify webhook deliveries”: X-Shopify-Hmac-Sha256, base64 over the raw body. Sent again 8 times within 4 hours; X-Shopify-Webhook-Id stays the same. */
  shopify: () => bodySigned('x-shopify-hmac-sha256', ({ headers }) => headers['x-shopify-webhook-id'], true),
  /** WooCommerce REST API documentation, “Webhooks”: X-WC-Webhook-Signature, base64 over the raw body. Never sent again; five failures in a row switch the webhook off. */
  woocommerce: () => ({
    ...bodySigned('x-wc-webhook-signature', ({ headers }) => headers['x-wc-webhook-delivery-id'], false),
    // On saving a webhook the shop posts `webhook_id=123`, unsigned, and wants a 200.
    isPing: ({ raw, headers }) =>
      headers['x-wc-webhook-signature'] === undefined && /^webhook_id=\d{1,12}$/.test(raw.toString('latin1', 0, 40)),
  }),
  /** docs.stripe.com/webhooks, “Verify manually”: `t=…,v1=…` of `t.body`. The id is in the body. */
  stripe: () => ({
    verify({ headers, raw, atMs }, secrets) {
      const parts = (headers['stripe-signature'] ?? '').split(',').map((part) => part.trim().split('='))
      const seconds = parts.find(([name]) => name === 't')?.[1] ?? ''
      if (!isLately(seconds, atMs)) return false
      const given = parts.flatMap(([name, value]) => (name === 'v1' && value !== undefined ? [value] : []))
      return secrets.some((secret) => {
        const right = mac(secret, `${seconds}.`, raw)
        return given.some((one) => same(right, decoded(one, 'hex')))
      })
    },
    key: () => undefined,
    sendsAgain: true,
  }),
  hmac: ({ header, encoding, prefix, idHeader }) => ({
    verify({ headers, raw }, secrets) {
      const given = headers[header] ?? ''
      if (!given.startsWith(prefix)) return false
      return secrets.some((secret) => same(mac(secret, raw), decoded(given.slice(prefix.length), encoding)))
    },
    key: ({ headers }) => (idHeader === null ? undefined : headers[idHeader]),
    sendsAgain: false,
  }),
  none: () => ({ verify: () => true, key: () => undefined, sendsAgain: false }),
}

export const wayOf = <Kind extends SchemeKind>(scheme: Extract<Scheme, { kind: Kind }>): Way =>
  ways[scheme.kind](scheme)

/** Headers that are kept with a body: what a mapping or a check may need, and nothing else (no cookies, no addresses of people). */
export function keptHeaders(scheme: Scheme, all: Readonly<Record<string, string>>): Record<string, string> {
  const own = scheme.kind === 'hmac' ? [scheme.header, scheme.idHeader] : []
  const wanted =
    /^(webhook-|x-shopify-|x-wc-webhook-|stripe-signature$|x-github-|x-hub-signature|content-(type|encoding)$)/
  return Object.fromEntries(
    Object.entries(all)
      .filter(([name]) => wanted.test(name) || own.includes(name))
      .slice(0, 40)
      .map(([name, value]) => [name, value.slice(0, 500)]),
  )
}
