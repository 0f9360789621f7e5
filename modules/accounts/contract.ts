import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'

export const AccountId = idOf('account')
export const Side = z.enum(['marketing', 'it'])
export type Side = z.infer<typeof Side>

/** Everything that a caller can be allowed to do. Routes name one of these. */
export const permissions = [
  'data.read',
  'data.write',
  'campaigns.write',
  'register.write',
  'requests.talk',
  'keys.give',
  'keys.protect',
  'admin',
  'audit.read',
] as const
export type Permission = (typeof permissions)[number]

/** What an API key may be given: everything but signing and administering. */
export const keyScopes = [
  'data.read',
  'data.write',
  'campaigns.write',
  'register.write',
  'requests.talk',
  'audit.read',
] as const satisfies readonly Permission[]
export type KeyScope = (typeof keyScopes)[number]

const work = ['data.read', 'data.write', 'campaigns.write', 'register.write', 'requests.talk'] as const
/** What each role may do. A person has one side and any of these; the technologist wears both hats but never holds a key. */
export const roles = {
  viewer: ['data.read'],
  member: [...work],
  approver: [...work, 'keys.give'],
  protection: ['data.read', 'requests.talk', 'keys.protect', 'audit.read'],
  technologist: [...work, 'audit.read'],
  administrator: ['data.read', 'requests.talk', 'admin', 'audit.read'],
} as const satisfies Record<string, readonly Permission[]>
export const Role = z.enum(['viewer', 'member', 'approver', 'protection', 'technologist', 'administrator'])
export type Role = z.infer<typeof Role>

/** Why nobody may hold these roles together; undefined when they go together. */
export function excludedRoles(held: readonly Role[]): string | undefined {
  return held.includes('technologist') && (held.includes('approver') || held.includes('protection'))
    ? 'A technologist works on both sides and therefore holds no key: leave out approver and protection.'
    : undefined
}

export const Email = z.string().trim().toLowerCase().pipe(z.email('an e-mail address')).pipe(z.string().max(254))
export const Password = z.string().min(10, 'at least 10 characters').max(200)

export const Me = z.object({
  id: AccountId,
  name: z.string(),
  email: z.string(),
  side: Side,
  roles: z.array(Role),
  permissions: z.array(z.string()),
  hasTotp: z.boolean(),
  passkeys: z.number().int(),
  /** Whether the next key needs a fresh proof first. */
  steppedUpUntil: z.string().nullable(),
  /** True in the demo company: a person without a second factor may prove themselves with the password. */
  demo: z.boolean(),
})
export type Me = z.infer<typeof Me>

export const Person = z.object({
  id: AccountId,
  name: z.string(),
  email: z.string(),
  side: Side,
  roles: z.array(Role),
  disabledAt: z.string().nullable(),
  hasSecondFactor: z.boolean(),
  lastSeenAt: z.string().nullable(),
})
export type Person = z.infer<typeof Person>

export const ApiKey = z.object({
  id: idOf('key'),
  name: z.string(),
  scopes: z.array(z.enum(keyScopes)),
  prefix: z.string(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
})
export type ApiKey = z.infer<typeof ApiKey>

const done = z.object({ done: z.literal(true) })
const Json = z.record(z.string(), z.unknown())

export const routes = {
  signIn: route({
    method: 'POST',
    path: '/api/sign-in',
    summary: 'Sign in with e-mail address and password.',
    allow: 'anyone',
    body: z.object({ email: z.string().max(254), password: z.string().max(200) }),
    reply: Me,
  }),
  signOut: route({ method: 'POST', path: '/api/sign-out', summary: 'End this session.', allow: 'anyone', reply: done }),
  me: route({ method: 'GET', path: '/api/me', summary: 'Who is signed in.', allow: 'signed-in', reply: Me }),
  demoAccounts: route({
    method: 'GET',
    path: '/api/demo-accounts',
    summary: 'The people of the demo company, in demo mode only.',
    allow: 'anyone',
    reply: z
      .object({
        password: z.string(),
        accounts: z.array(z.object({ name: z.string(), email: z.string(), side: Side, title: z.string() })),
      })
      .nullable(),
  }),
  link: route({
    method: 'GET',
    path: '/api/links/:token',
    summary: 'What a one-time link is for.',
    allow: 'anyone',
    params: z.object({ token: z.string().max(100) }),
    reply: z.object({
      kind: z.enum(['first', 'invitation', 'password']),
      email: z.string().nullable(),
      side: Side.nullable(),
      roles: z.array(Role),
    }),
  }),
  accept: route({
    method: 'POST',
    path: '/api/links/:token',
    summary: 'Use a one-time link: become the first administrator, accept an invitation, or set a new password.',
    allow: 'anyone',
    params: z.object({ token: z.string().max(100) }),
    body: z.object({
      /** What to call whoever joins; not needed for a new password. */
      name: z.string().trim().min(1).max(120).optional(),
      email: Email.optional(),
      side: Side.optional(),
      password: Password,
    }),
    reply: Me,
  }),
  people: route({
    method: 'GET',
    path: '/api/people-here',
    summary: 'Everyone who works here.',
    allow: 'signed-in',
    reply: z.array(Person),
  }),
  invite: route({
    method: 'POST',
    path: '/api/invitations',
    summary: 'Invite someone; the answer is a link that works once, for seven days. Needs a fresh step-up.',
    allow: 'admin',
    body: z.object({ email: Email, side: Side, roles: z.array(Role).min(1) }),
    reply: z.object({ link: z.string() }),
  }),
  passwordLink: route({
    method: 'POST',
    path: '/api/people-here/:id/password-link',
    summary:
      'A link with which a person sets a new password: it works once, for a day, and voids earlier ones. Needs a fresh step-up.',
    allow: 'admin',
    params: z.object({ id: AccountId }),
    reply: z.object({ link: z.string() }),
  }),
  setRoles: route({
    method: 'PUT',
    path: '/api/people-here/:id/roles',
    summary: 'Change the side or the roles of a person; all their sessions end. Needs a fresh step-up.',
    allow: 'admin',
    params: z.object({ id: AccountId }),
    body: z.object({ side: Side, roles: z.array(Role).min(1) }),
    reply: Person,
  }),
  setDisabled: route({
    method: 'PUT',
    path: '/api/people-here/:id/disabled',
    summary: 'Disable a person (all sessions and API keys end) or let them back in. Needs a fresh step-up.',
    allow: 'admin',
    params: z.object({ id: AccountId }),
    body: z.object({ disabled: z.boolean() }),
    reply: Person,
  }),
  password: route({
    method: 'PUT',
    path: '/api/me/password',
    summary: 'Change your password; all other sessions and your API keys end.',
    allow: 'signed-in',
    body: z.object({ old: z.string().max(200), new: Password }),
    reply: done,
  }),
  provePassword: route({
    method: 'POST',
    path: '/api/me/password/confirm',
    summary: 'Say your password once more; for five minutes a first authenticator or passkey may be set up.',
    allow: 'signed-in',
    body: z.object({ password: z.string().max(200) }),
    reply: done,
  }),
  totpStart: route({
    method: 'POST',
    path: '/api/me/totp',
    summary: 'Begin to set up an authenticator: a secret to scan.',
    allow: 'signed-in',
    reply: z.object({ uri: z.string(), secret: z.string(), qr: z.string() }),
  }),
  totpConfirm: route({
    method: 'POST',
    path: '/api/me/totp/confirm',
    summary: 'Finish with a first code; all other sessions and your API keys end.',
    allow: 'signed-in',
    body: z.object({ code: z.string().regex(/^\d{6}$/) }),
    reply: Me,
  }),
  passkeyStart: route({
    method: 'POST',
    path: '/api/me/passkeys',
    summary: 'Begin to add a passkey.',
    allow: 'signed-in',
    reply: Json,
  }),
  passkeyConfirm: route({
    method: 'POST',
    path: '/api/me/passkeys/confirm',
    summary: 'Finish adding a passkey.',
    allow: 'signed-in',
    body: Json,
    reply: Me,
  }),
  stepUpStart: route({
    method: 'POST',
    path: '/api/me/step-up',
    summary: 'How you can prove that it is you; for passkeys, the challenge.',
    allow: 'signed-in',
    reply: z.object({ totp: z.boolean(), password: z.boolean(), passkey: Json.nullable() }),
  }),
  stepUp: route({
    method: 'POST',
    path: '/api/me/step-up/confirm',
    summary: 'Prove that it is you, for five minutes.',
    allow: 'signed-in',
    body: z.discriminatedUnion('method', [
      z.object({ method: z.literal('totp'), code: z.string().regex(/^\d{6}$/, 'six digits') }),
      z.object({ method: z.literal('password'), password: z.string().max(200) }),
      z.object({ method: z.literal('passkey'), answer: Json }),
    ]),
    reply: Me,
  }),
  apiKeys: route({
    method: 'GET',
    path: '/api/api-keys',
    summary: 'Your API keys.',
    allow: 'signed-in',
    reply: z.array(ApiKey),
  }),
  makeApiKey: route({
    method: 'POST',
    path: '/api/api-keys',
    summary:
      'Make an API key. The key is shown this once. It can do at most what you can, never sign and never administer. Needs a fresh step-up.',
    allow: 'signed-in',
    body: z.object({
      name: z.string().trim().min(1).max(80),
      scopes: z.array(z.enum(keyScopes)).min(1),
      days: z.number().int().min(1).max(730).optional(),
    }),
    reply: z.object({ key: z.string(), row: ApiKey }),
  }),
  revokeApiKey: route({
    method: 'DELETE',
    path: '/api/api-keys/:id',
    summary: 'Revoke an API key at once.',
    allow: 'signed-in',
    params: z.object({ id: idOf('key') }),
    reply: done,
  }),
}
