import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'
import { Facts, KeyKind, Lane, Verdict } from '../policy/contract.ts'

export const RequestId = idOf('request')
const AccountId = idOf('account')
const Who = z.object({ id: AccountId, name: z.string() })

/** Something that a release covers: change it and the keys fall out. */
export const Covered = z.object({ kind: z.string(), id: z.string(), name: z.string(), version: z.string() })
export type Covered = z.infer<typeof Covered>

/** A machine check before launch; `href` is the page on which what it found is mended. */
export const Check = z.object({
  name: z.string(),
  result: z.enum(['ok', 'warn', 'fail']),
  says: z.string(),
  href: z.string().optional(),
})
export type Check = z.infer<typeof Check>

export const State = z.enum(['waiting', 'ready', 'live', 'halted', 'done', 'withdrawn'])
export type State = z.infer<typeof State>

/** One slot for a key: who can give it, who gave it, how, what fell out and why. */
export const KeySlot = z.object({
  kind: KeyKind,
  state: z.enum(['waiting', 'given', 'withdrawn']),
  by: Who.nullable(),
  at: z.string().nullable(),
  method: z.string().nullable(),
  condition: z.string().nullable(),
  expiresAt: z.string().nullable(),
  /** Who could give it now. */
  couldBe: z.array(z.string()),
  /** Seconds for which this slot has waited or had waited. */
  waitedSeconds: z.number().int(),
  /** Whether the person who asks can give it, and if not, why not. */
  yours: z.boolean(),
  whyNotYours: z.string().nullable(),
  fallenOut: z.array(z.object({ by: z.string(), at: z.string(), because: z.string() })),
})
export type KeySlot = z.infer<typeof KeySlot>

export const RequestView = z.object({
  id: RequestId,
  kind: z.string(),
  objectId: z.string(),
  /** The page of the thing itself. */
  href: z.string(),
  /** The page of what came of it; null before it went live, and where nothing is counted. */
  reportHref: z.string().nullable(),
  title: z.string(),
  sub: z.string(),
  state: State,
  requester: Who,
  openedAt: z.string(),
  /** One sentence: what it waits for, or what happened. */
  sentence: z.string(),
  lane: Lane,
  /** All that it needs, as the end of “It needs …”: whose keys, and whether a day passes. */
  needs: z.string(),
  /** How it stands in a word or two: its state, or what holds up one that has its keys. */
  stands: z.string(),
  /** While it cools off: until when, and how long that is. */
  coolsOff: z.object({ until: z.string(), says: z.string() }).nullable(),
  verdict: Verdict,
  facts: Facts,
  /** What it does, in rows: computed, not declared. */
  does: z.array(
    z.object({
      label: z.string(),
      says: z.string(),
      fields: z.array(z.object({ label: z.string(), sensitivity: z.number().int() })).optional(),
    }),
  ),
  preflight: z.array(Check),
  preflightAt: z.string().nullable(),
  keys: z.array(KeySlot),
  releaseHash: z.string(),
  covers: z.array(Covered),
  launch: z.object({ possible: z.boolean(), because: z.string() }),
  canWithdraw: z.boolean(),
  comments: z.array(
    z.object({ id: z.string(), by: Who, side: z.enum(['marketing', 'it']), at: z.string(), text: z.string() }),
  ),
  history: z.array(z.object({ at: z.string(), by: z.string(), says: z.string() })),
})
export type RequestView = z.infer<typeof RequestView>

export const RequestRow = z.object({
  id: RequestId,
  kind: z.string(),
  objectId: z.string(),
  title: z.string(),
  lane: Lane,
  /** All that it needs, as the end of “It needs …”. */
  needs: z.string(),
  state: State,
  /** How it stands in a word or two: its state, or what holds up one that has its keys. */
  stands: z.string(),
  sentence: z.string(),
  requester: Who,
  openedAt: z.string(),
  waitingFor: z.array(KeyKind),
  yourTurn: z.boolean(),
})
export type RequestRow = z.infer<typeof RequestRow>

/** What asking for a thing would need, before anybody asks. */
export const Foresight = z.object({
  lane: Lane,
  needs: z.string(),
  /** How many keys, whose, how long it cools off and what ends that. */
  sentence: z.string(),
  /** Who could give each key; nobody where it is empty. */
  keys: z.array(z.object({ kind: KeyKind, couldBe: z.array(z.string()) })),
  /** The checks that fail as things are, so that no key would be enough. */
  failing: z.array(Check),
})
export type Foresight = z.infer<typeof Foresight>

const one = z.object({ id: RequestId })
const Hash = z.string().regex(/^[0-9a-f]{64}$/, 'the hash of a release')

export const routes = {
  list: route({
    method: 'GET',
    path: '/api/requests',
    summary: 'Requests: what waits for you, what waits for others, what is done; or those that cover one thing.',
    allow: 'data.read',
    query: z.object({ covers: z.string().max(60).optional() }),
    reply: z.array(RequestRow),
  }),
  get: route({
    method: 'GET',
    path: '/api/requests/:id',
    summary: 'One request with verdict, keys, preflight and conversation.',
    allow: 'data.read',
    params: one,
    reply: RequestView,
  }),
  foresee: route({
    method: 'GET',
    path: '/api/requests/foresee',
    summary: 'What asking for something would need: which keys, from whom, and whether a day passes. Asks for nothing.',
    allow: 'campaigns.write',
    query: z.object({ kind: z.string().max(40), objectId: z.string().max(60) }),
    reply: Foresight,
  }),
  open: route({
    method: 'POST',
    path: '/api/requests',
    summary: 'Ask for something to go live.',
    allow: 'campaigns.write',
    body: z.object({ kind: z.string().max(40), objectId: z.string().max(60), note: z.string().max(2_000).default('') }),
    reply: RequestView,
  }),
  giveKey: route({
    method: 'POST',
    path: '/api/requests/:id/keys',
    summary: 'Give your key to exactly this release. Needs a fresh step-up.',
    allow: 'signed-in',
    params: one,
    body: z.object({ releaseHash: Hash, kind: KeyKind, condition: z.string().max(500).optional() }),
    reply: RequestView,
  }),
  withdrawKey: route({
    method: 'POST',
    path: '/api/requests/:id/keys/withdraw',
    summary: 'Take your key back; what runs stops within one batch.',
    allow: 'signed-in',
    params: one,
    body: z.object({ because: z.string().trim().min(1).max(500) }),
    reply: RequestView,
  }),
  launch: route({
    method: 'POST',
    path: '/api/requests/:id/launch',
    summary: 'Let exactly this release go live.',
    allow: 'campaigns.write',
    params: one,
    body: z.object({ releaseHash: Hash }),
    reply: RequestView,
  }),
  withdraw: route({
    method: 'POST',
    path: '/api/requests/:id/withdraw',
    summary: 'Take the request back.',
    allow: 'campaigns.write',
    params: one,
    reply: RequestView,
  }),
  preflight: route({
    method: 'POST',
    path: '/api/requests/:id/preflight',
    summary: 'Run the machine checks again.',
    allow: 'signed-in',
    params: one,
    reply: RequestView,
  }),
  comment: route({
    method: 'POST',
    path: '/api/requests/:id/comments',
    summary: 'Say something in the conversation.',
    allow: 'requests.talk',
    params: one,
    body: z.object({ text: z.string().trim().min(1).max(4_000) }),
    reply: RequestView,
  }),
}
