import { z } from 'zod'
import { idOf } from '../../lib/ids/ids.ts'
import { route } from '../../lib/routes/routes.ts'

export const ToolId = idOf('tool')
const AccountId = idOf('account')

/** Lines of the map: what tools are for. */
export const capabilities = [
  'Collect',
  'Identity & Profile',
  'Segment & Decide',
  'Message',
  'Ads',
  'Site & Commerce',
  'Content & Creative',
  'Social & Community',
  'Analytics & Test',
  'Sales & Service',
  'Consent & Trust',
  'Run & Finance',
] as const

export const Owner = z.object({ id: AccountId, name: z.string() })
export const Tool = z.object({
  id: ToolId,
  name: z.string(),
  vendor: z.string(),
  capability: z.enum(capabilities),
  status: z.enum(['proposed', 'live', 'retired']),
  owners: z.object({ marketing: Owner.nullable(), it: Owner.nullable() }),
  contract: z.object({ endsOn: z.string().nullable(), costMinor: z.number().int().nullable(), currency: z.string() }),
  personalFields: z.array(z.string()),
  region: z.string(),
  /** False for what was found by evidence and never registered. */
  registered: z.boolean(),
  evidence: z.string().nullable(),
  /** Why it cannot be used now, in one sentence; null when it can. */
  blockedBecause: z.string().nullable(),
})
export type Tool = z.infer<typeof Tool>

export const Integration = z.object({
  id: idOf('integration'),
  from: Owner.extend({ id: ToolId }),
  to: Owner.extend({ id: ToolId }),
  fields: z.array(z.string()),
  purpose: z.string(),
  agreed: z.boolean(),
})
export type Integration = z.infer<typeof Integration>

export const NewTool = z.object({
  name: z.string().trim().min(1).max(120),
  vendor: z.string().trim().max(120).default(''),
  capability: z.enum(capabilities),
  personalFields: z.array(z.string().max(60)).max(60).default([]),
  region: z.string().trim().max(40).default('EU'),
  ownerMarketing: AccountId.nullable().default(null),
  ownerIt: AccountId.nullable().default(null),
  endsOn: z.iso.date().nullable().default(null),
  costMinor: z.number().int().min(0).nullable().default(null),
})
export const ToolChange = z
  .object({
    name: z.string().trim().min(1).max(120),
    vendor: z.string().trim().max(120),
    capability: z.enum(capabilities),
    personalFields: z.array(z.string().max(60)).max(60),
    region: z.string().trim().max(40),
    ownerMarketing: AccountId.nullable(),
    ownerIt: AccountId.nullable(),
    endsOn: z.iso.date().nullable(),
    costMinor: z.number().int().min(0).nullable(),
    status: z.enum(['proposed', 'live', 'retired']),
  })
  .partial()

const one = z.object({ id: ToolId })
export const routes = {
  list: route({
    method: 'GET',
    path: '/api/tools',
    summary: 'The register of tools.',
    allow: 'data.read',
    reply: z.array(Tool),
  }),
  get: route({
    method: 'GET',
    path: '/api/tools/:id',
    summary: 'One tool and its integrations.',
    allow: 'data.read',
    params: one,
    reply: z.object({ tool: Tool, integrations: z.array(Integration) }),
  }),
  create: route({
    method: 'POST',
    path: '/api/tools',
    summary: 'Register a tool.',
    allow: 'register.write',
    body: NewTool,
    reply: Tool,
  }),
  change: route({
    method: 'PATCH',
    path: '/api/tools/:id',
    summary: 'Change a tool of the register.',
    allow: 'register.write',
    params: one,
    body: ToolChange,
    reply: Tool,
  }),
}
