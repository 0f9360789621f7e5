import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { Mapping } from '../../lib/mapping/mapping.ts'
import { route } from '../../lib/routes/routes.ts'
import { Freshness } from '../../lib/schedule/freshness.ts'

export const HookId = idOf('hook')
const SourceId = idOf('source')

/** How a sender proves that it is the one: the registry of `server/schemes.ts`, as people choose from it. */
export const schemeKinds = {
  standard: 'Standard Webhooks',
  shopify: 'Shopify',
  woocommerce: 'WooCommerce',
  stripe: 'Stripe',
  hmac: 'HMAC-SHA256 in a header (as GitHub does)',
  none: 'Not signed',
} as const
export const SchemeKind = z.enum(['standard', 'shopify', 'woocommerce', 'stripe', 'hmac', 'none'])
export type SchemeKind = z.infer<typeof SchemeKind>

const HeaderName = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'a name of a header')
export const Scheme = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('standard') }),
  z.object({ kind: z.literal('shopify') }),
  z.object({ kind: z.literal('woocommerce') }),
  z.object({ kind: z.literal('stripe') }),
  z.object({
    kind: z.literal('hmac'),
    header: HeaderName,
    encoding: z.enum(['hex', 'base64']),
    /** Stands before the signature in the header: `sha256=` at GitHub. */
    prefix: z.string().max(20),
    /** The header with the sender's own id of the delivery, when it has one. */
    idHeader: HeaderName.nullable(),
  }),
  // Somebody said so: anybody who knows the address can then send.
  z.object({ kind: z.literal('none'), anybodyMaySend: z.literal(true) }),
])
export type Scheme = z.infer<typeof Scheme>

export const presetNames = {
  shopify: 'Shopify orders, refunds, customers, carts and checkouts',
  woocommerce: 'WooCommerce orders, customers and coupons',
  plain: 'Tracking calls as they are',
} as const
export const PresetName = z.enum(['shopify', 'woocommerce', 'plain'])
export type PresetName = z.infer<typeof PresetName>

/** What becomes of a delivery. received = taken + unchanged + aside + rejected. */
export const HookCounts = z.object({
  received: z.number(),
  taken: z.number(),
  unchanged: z.number(),
  aside: z.number(),
  rejected: z.number(),
  calls: z.number(),
  reasons: z.array(z.object({ outcome: z.string(), reason: z.string(), deliveries: z.number() })),
})
export type HookCounts = z.infer<typeof HookCounts>

/** Why a delivery stands where it stands; the sentence is what people read. */
export const deliveryReasons = {
  mapped: 'It became tracking calls.',
  same_again: 'The sender sent it again; it was here already.',
  nothing_to_say: 'It is known, and it says nothing about people.',
  ping: 'The sender tried whether the address answers; there is nothing in it.',
  unverified: 'Its signature is missing or wrong, or too old. Put aside, not read.',
  unmapped: 'No rule of the mapping speaks of it.',
  unreadable: 'It is signed, but it cannot be read as the mapping says.',
  waiting: 'It is kept and goes in as soon as the journal takes it.',
  source_off: 'The source is switched off.',
  too_fast: 'The source sends more than its limit allows; the sender was told when to try again.',
  too_large: 'The body is larger than 8 MiB.',
  no_room: 'Too much is put aside already.',
  bad_encoding: 'The compressed body cannot be unpacked.',
} as const
export type DeliveryReason = keyof typeof deliveryReasons

export const Delivery = z.object({
  id: z.string(),
  topic: z.string(),
  state: z.enum(['taken', 'unverified', 'unmapped', 'unreadable', 'waiting']),
  because: z.string().nullable(),
  calls: z.number(),
  receivedAt: z.string(),
})
export type Delivery = z.infer<typeof Delivery>

export const Hook = z.object({
  id: HookId,
  name: z.string(),
  sourceId: SourceId,
  sourceName: z.string(),
  /** Where the sender sends. */
  url: z.string(),
  scheme: Scheme,
  /** When each secret that is good was given, the newest first. The secrets themselves are never shown. */
  secrets: z.array(z.object({ since: z.string() })),
  mapping: Mapping,
  version: z.number(),
  counts: HookCounts,
  waitingAside: z.number(),
  freshness: Freshness,
  createdAt: z.string(),
  createdBy: z.string(),
})
export type Hook = z.infer<typeof Hook>

/** A body that was kept, and what a mapping makes of it. */
export const Previewed = z.object({
  id: z.string(),
  topic: z.string(),
  receivedAt: z.string(),
  body: z.string(),
  calls: z.array(z.record(z.string(), z.unknown())),
  problem: z.string().nullable(),
})
export type Previewed = z.infer<typeof Previewed>

const Name = z.string().trim().min(1, 'a name').max(120)
const Secret = z.string().trim().min(8, 'at least 8 characters').max(500)
const Promise_ = z.number().int().min(1).max(8760).nullable()
const one = z.object({ id: HookId })

export const routes = {
  list: route({
    method: 'GET',
    path: '/api/webhooks',
    summary: 'Inbound webhooks with their counts and freshness.',
    allow: 'data.read',
    reply: z.array(Hook),
  }),
  get: route({
    method: 'GET',
    path: '/api/webhooks/:id',
    summary: 'One inbound webhook; its secrets are never shown.',
    allow: 'data.read',
    params: one,
    reply: Hook,
  }),
  presets: route({
    method: 'GET',
    path: '/api/webhooks-presets',
    summary: 'Mappings that are ready, by name.',
    allow: 'data.read',
    reply: z.array(z.object({ name: PresetName, label: z.string(), says: z.string(), mapping: Mapping })),
  }),
  create: route({
    method: 'POST',
    path: '/api/webhooks',
    summary: 'Opens an address to which another system sends, with how it signs and what its bodies mean.',
    allow: 'data.write',
    body: z.object({
      name: Name,
      sourceId: SourceId,
      scheme: Scheme,
      secret: Secret.optional(),
      preset: PresetName,
    }),
    reply: Hook,
  }),
  change: route({
    method: 'PATCH',
    path: '/api/webhooks/:id',
    summary: 'Renames it, changes how it is signed, or promises how long it may be silent.',
    allow: 'data.write',
    params: one,
    body: z.object({ name: Name.optional(), scheme: Scheme.optional(), promiseHours: Promise_.optional() }),
    reply: Hook,
  }),
  secret: route({
    method: 'POST',
    path: '/api/webhooks/:id/secret',
    summary: 'Gives a new secret; the one before stays good until it is dropped.',
    allow: 'data.write',
    params: one,
    body: z.object({ secret: Secret }),
    reply: Hook,
  }),
  dropSecret: route({
    method: 'POST',
    path: '/api/webhooks/:id/secret/drop',
    summary: 'Forgets the older of two secrets.',
    allow: 'data.write',
    params: one,
    reply: Hook,
  }),
  mapping: route({
    method: 'PUT',
    path: '/api/webhooks/:id/mapping',
    summary: 'Keeps a mapping as the newest version.',
    allow: 'data.write',
    params: one,
    body: z.object({ mapping: Mapping }),
    reply: Hook,
  }),
  versions: route({
    method: 'GET',
    path: '/api/webhooks/:id/versions',
    summary: 'Every version of the mapping, newest first.',
    allow: 'data.read',
    params: one,
    reply: z.array(z.object({ version: z.number(), mapping: Mapping, by: z.string(), at: z.string() })),
  }),
  deliveries: route({
    method: 'GET',
    path: '/api/webhooks/:id/deliveries',
    summary: 'The last deliveries and what became of each.',
    allow: 'data.read',
    params: one,
    reply: z.array(Delivery),
  }),
  preview: route({
    method: 'POST',
    path: '/api/webhooks/:id/preview',
    summary: 'What a mapping would make of the last bodies; nothing is stored.',
    allow: 'data.read',
    params: one,
    body: z.object({ mapping: Mapping }),
    reply: z.array(Previewed),
  }),
  replay: route({
    method: 'POST',
    path: '/api/webhooks/:id/replay',
    summary: 'Checks and maps again what is put aside; what passes now goes in.',
    allow: 'data.write',
    params: one,
    reply: z.object({ looked: z.number(), taken: z.number() }),
  }),
  remove: route({
    method: 'DELETE',
    path: '/api/webhooks/:id',
    summary: 'Closes the address and forgets its secrets and kept bodies; what came in stays.',
    allow: 'data.write',
    params: one,
    reply: z.object({}),
  }),
}
