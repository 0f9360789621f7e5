import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'

export const SenderId = idOf('sender')

export const DnsRecord = z.object({ name: z.string(), type: z.literal('TXT'), value: z.string(), why: z.string() })
export const Sender = z.object({
  id: SenderId,
  name: z.string(),
  address: z.string(),
  domain: z.string(),
  selector: z.string(),
  version: z.number().int(),
  dns: z.array(DnsRecord),
})
export type Sender = z.infer<typeof Sender>

/** Where mail goes. The built-in catcher keeps every mail and sends none on. */
export const Route = z.object({
  kind: z.enum(['catcher', 'smtp']),
  host: z.string(),
  toolId: idOf('tool'),
  toolName: z.string(),
  usable: z.boolean(),
  because: z.string().nullable(),
})
export type Route = z.infer<typeof Route>

export const CaughtMail = z.object({
  id: z.number().int(),
  at: z.string(),
  from: z.string(),
  to: z.string(),
  subject: z.string(),
})
export type CaughtMail = z.infer<typeof CaughtMail>

const one = z.object({ id: z.coerce.number().int().positive() })
export const routes = {
  senders: route({
    method: 'GET',
    path: '/api/senders',
    summary: 'Senders, with the DNS records that each needs.',
    allow: 'data.read',
    reply: z.array(Sender),
  }),
  createSender: route({
    method: 'POST',
    path: '/api/senders',
    summary: 'Add a sender; its DKIM key is made here.',
    allow: 'register.write',
    body: z.object({ name: z.string().trim().min(1).max(80), address: z.email().max(254) }),
    reply: Sender,
  }),
  route: route({
    method: 'GET',
    path: '/api/mail-route',
    summary: 'The route that mail takes, and whether it may be used.',
    allow: 'data.read',
    reply: Route,
  }),
  inbox: route({
    method: 'GET',
    path: '/api/mail-catcher',
    summary: 'Mails that the built-in catcher kept, newest first.',
    allow: 'data.read',
    query: z.object({ search: z.string().max(200).default(''), before: z.coerce.number().int().optional() }),
    reply: z.object({ mails: z.array(CaughtMail), total: z.number().int(), next: z.number().int().nullable() }),
  }),
  mail: route({
    method: 'GET',
    path: '/api/mail-catcher/:id',
    summary: 'One mail as it arrived, and as a mail program would show it.',
    allow: 'data.read',
    params: one,
    reply: CaughtMail.extend({
      headers: z.array(z.object({ name: z.string(), value: z.string() })),
      html: z.string(),
      text: z.string(),
      raw: z.string(),
    }),
  }),
}
