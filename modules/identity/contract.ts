import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'

export const ProfileId = idOf('profile')

export const KnownIdentifier = z.object({
  no: z.number().int(),
  type: z.string(),
  value: z.string(),
  shared: z.boolean(),
  sourceId: z.string(),
  firstSeenAt: z.string(),
})
export type KnownIdentifier = z.infer<typeof KnownIdentifier>

/** How we know: the identifiers of one person, what linked them, and what was decided against. Ends of links are written `type value`. */
export const Explanation = z.object({
  profileId: ProfileId,
  identifiers: z.array(KnownIdentifier),
  links: z.array(
    z.object({
      a: z.string(),
      b: z.string(),
      rule: z.string(),
      sourceId: z.string(),
      messageId: z.string(),
      at: z.string(),
      /** How many events had both, and the last of them. */
      events: z.number().int(),
      lastAt: z.string(),
      /** Without this link these would be another person; null where others hold them too. */
      holds: z.array(z.string()).nullable(),
    }),
  ),
  /** What was seen together and counts for nothing, and why. */
  refused: z.array(
    z.object({
      a: z.string(),
      b: z.string(),
      because: z.string(),
      since: z.string(),
      /** The person whom the other end belongs to; null when it is this one. */
      otherProfileId: ProfileId.nullable(),
    }),
  ),
  decisions: z.array(
    z.object({
      kind: z.enum(['share', 'split', 'join', 'demote', 'refuse']),
      identifiers: z.array(z.string()),
      others: z.array(z.string()),
      because: z.string(),
      /** The name of the colleague who decided; null: Interlock did. */
      decidedBy: z.string().nullable(),
      at: z.string(),
    }),
  ),
  mergedFrom: z.array(z.object({ profileId: z.string(), at: z.string() })),
})
export type Explanation = z.infer<typeof Explanation>

/** Why, in the words of whoever decides: the next one who looks at this person reads it. */
const Because = z.string().trim().min(3).max(500)
const Decided = z.object({
  /** Who is called what this person was called: with the strongest identifier that stayed. */
  person: ProfileId,
  /** The other one, when there are two now. */
  other: ProfileId.nullable(),
})
export type Decided = z.infer<typeof Decided>

export const routes = {
  split: route({
    method: 'POST',
    path: '/api/people/:id/identity/split',
    summary:
      'Tell two people apart: these identifiers are not the person of the others. It stays so, whatever is seen later.',
    allow: 'data.write',
    params: z.object({ id: ProfileId }),
    /** `identifiers`: their numbers, as `explain` gives them; some of this person's, not all. */
    body: z.object({ identifiers: z.array(z.number().int()).min(1).max(2_000), because: Because }),
    reply: Decided,
  }),
  join: route({
    method: 'POST',
    path: '/api/people/:id/identity/join',
    summary: 'Make one person of two. It stays so, whatever is seen later, until somebody tells them apart.',
    allow: 'data.write',
    params: z.object({ id: ProfileId }),
    body: z.object({ with: ProfileId, because: Because }),
    reply: Decided,
  }),
  explain: route({
    method: 'GET',
    path: '/api/people/:id/identity',
    summary: 'How we know who this is: identifiers, what linked them, what was decided.',
    allow: 'data.read',
    params: z.object({ id: ProfileId }),
    reply: Explanation,
  }),
}
