import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'

export const TemplateId = idOf('template')
const Text = z.string().max(20_000)
const Href = z.string().max(2_000)

/** A piece of a mail. Text may hold Liquid (`{{ person.firstName }}`). */
export const Block = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('heading'), text: Text }),
  z.object({ kind: z.literal('text'), text: Text }),
  z.object({ kind: z.literal('button'), text: Text, href: Href }),
  z.object({ kind: z.literal('image'), src: Href, alt: z.string().max(500), href: Href.optional() }),
  z.object({ kind: z.literal('divider') }),
  z.object({ kind: z.literal('spacer'), height: z.number().int().min(4).max(120) }),
  z.object({ kind: z.literal('columns'), left: Text, right: Text }),
])
export type Block = z.infer<typeof Block>

export const Body = z.object({
  subject: z.string().trim().min(1, 'a subject').max(500),
  preheader: z.string().max(500).default(''),
  design: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('blocks'), blocks: z.array(Block).min(1).max(100) }),
    z.object({
      kind: z.literal('mjml'),
      source: z
        .string()
        .min(1)
        .max(256 * 1024),
    }),
  ]),
})
export type Body = z.infer<typeof Body>

export const Warning = z.object({ what: z.string(), passes: z.string() })
/** What a version compiles to, once: HTML and text that still hold Liquid, the fields these read, the links. */
export const Compiled = z.object({
  subject: z.string(),
  preheader: z.string(),
  html: z.string(),
  text: z.string(),
  fields: z.array(z.string()),
  /** Those of them that stand somewhere without a `default`: where they are missing, the mail has a hole. */
  bare: z.array(z.string()),
  links: z.array(z.string()),
  bytes: z.number().int(),
  warnings: z.array(Warning),
})
export type Compiled = z.infer<typeof Compiled>

export const Template = z.object({
  id: TemplateId,
  name: z.string(),
  version: z.number().int(),
  body: Body,
  fields: z.array(z.string()),
  warnings: z.array(Warning),
  changedAt: z.string(),
  changedBy: z.string(),
})
export type Template = z.infer<typeof Template>

export const Rendered = z.object({
  subject: z.string(),
  preheader: z.string(),
  html: z.string(),
  text: z.string(),
  warnings: z.array(Warning),
  fields: z.array(z.string()),
  person: z.object({ id: z.string(), name: z.string() }).nullable(),
})
export type Rendered = z.infer<typeof Rendered>

const one = z.object({ id: TemplateId })
const Given = z.object({ name: z.string().trim().min(1).max(120), body: Body })
export const routes = {
  list: route({
    method: 'GET',
    path: '/api/templates',
    summary: 'Mail templates.',
    allow: 'data.read',
    reply: z.array(Template),
  }),
  get: route({
    method: 'GET',
    path: '/api/templates/:id',
    summary: 'One template.',
    allow: 'data.read',
    params: one,
    reply: Template,
  }),
  versions: route({
    method: 'GET',
    path: '/api/templates/:id/versions',
    summary: 'The versions of a template, newest first; each stays as it was.',
    allow: 'data.read',
    params: one,
    reply: z.array(z.object({ version: z.number().int(), subject: z.string(), at: z.string(), by: z.string() })),
  }),
  create: route({
    method: 'POST',
    path: '/api/templates',
    summary: 'Make a template.',
    allow: 'campaigns.write',
    body: Given,
    reply: Template,
  }),
  change: route({
    method: 'PUT',
    path: '/api/templates/:id',
    summary: 'Change a template: a new version. Keys on what uses it fall out.',
    allow: 'campaigns.write',
    params: one,
    body: Given,
    reply: Template,
  }),
  preview: route({
    method: 'POST',
    path: '/api/templates/preview',
    summary: 'A body as one person would get it.',
    allow: 'data.read',
    body: z.object({ body: Body, profileId: idOf('profile').optional() }),
    reply: Rendered,
  }),
  test: route({
    method: 'POST',
    path: '/api/templates/:id/test',
    summary:
      'Send it to yourself or to a colleague who has an account here, marked as a test and never counted. For people, not for API keys.',
    allow: 'campaigns.write',
    params: one,
    body: z.object({
      to: z.email(),
      profileId: idOf('profile').optional(),
      /** Whom it comes from; the oldest sender when none is named. */
      senderId: idOf('sender').optional(),
    }),
    reply: z.object({ says: z.string() }),
  }),
}
