import type { z } from 'zod'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { Actor } from '../../audit/contract.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { Integration, NewTool, Tool, ToolChange } from '../contract.ts'
import { toolStore, type ToolRow } from './store.ts'

type Given = z.output<typeof NewTool>

export interface Tools {
  /** Within a transaction, for decisions; undefined when there is none. */
  get(tx: Postgres, id: string): Promise<Tool | undefined>
  list(): Promise<Tool[]>
  integrationsOf(id: string): Promise<Integration[]>
  /** @throws Refusal('needs_owners') without an owner on each side, Refusal('not_now') when it is not live or its contract ended */
  assertUsable(tx: Postgres, id: string): Promise<Tool>
  create(caller: Caller, given: Given): Promise<Tool>
  /** For what the product itself registers: feeds, the mail route, the demo company. */
  createAs(
    tx: Postgres,
    actor: Actor,
    given: Given & { status?: Tool['status']; registered?: boolean; evidence?: string },
  ): Promise<Id<'tool'>>
  connectAs(tx: Postgres, from: string, to: string, fields: string[], purpose: string, agreed: boolean): Promise<void>
  change(caller: Caller, id: Id<'tool'>, change: z.output<typeof ToolChange>): Promise<Tool>
}

export interface ToolNeeds {
  postgres: Postgres
  clock: Clock
  ids: Ids
  audit: Audit
  /** The side of an account, so that an owner for marketing is of marketing. */
  person(tx: Postgres, id: string): Promise<{ side: 'marketing' | 'it'; enabled: boolean } | undefined>
  /** Someone changed a tool, within the transaction of the change: what rests on it may need new keys. */
  changed(tx: Postgres, id: Id<'tool'>, by: Actor): Promise<void>
}

export function createTools(needs: ToolNeeds): Tools {
  const { postgres, clock, audit } = needs
  const today = () => clock.now().toISOString().slice(0, 10)
  const show = (row: ToolRow): Tool => ({
    id: row.id as Id<'tool'>,
    name: row.name,
    vendor: row.vendor,
    capability: row.capability,
    status: row.status,
    owners: { marketing: owner(row.owner_marketing, row.marketing_name), it: owner(row.owner_it, row.it_name) },
    contract: { endsOn: row.ends_on, costMinor: row.cost_minor, currency: row.currency },
    personalFields: row.personal_fields,
    region: row.region,
    registered: row.registered,
    evidence: row.evidence,
    blockedBecause: blocked(row, today()),
  })
  const owner = (id: string | null, name: string | null) =>
    id === null ? null : { id: id as Id<'account'>, name: name ?? 'someone who left' }

  async function get(tx: Postgres, id: string): Promise<Tool | undefined> {
    const row = await toolStore(tx).get(id)
    return row === undefined ? undefined : show(row)
  }
  async function checkOwner(tx: Postgres, id: string | null | undefined, side: 'marketing' | 'it'): Promise<void> {
    if (id === null || id === undefined) return
    const person = await needs.person(tx, id)
    if (person === undefined || !person.enabled) throw new Refusal('bad_input', 'There is no such person.')
    if (person.side !== side)
      throw new Refusal('bad_input', `The owner for ${side === 'it' ? 'IT' : 'Marketing'} must be of that side.`)
  }
  async function createAs(tx: Postgres, actor: Actor, given: Parameters<Tools['createAs']>[2]): Promise<Id<'tool'>> {
    await checkOwner(tx, given.ownerMarketing, 'marketing')
    await checkOwner(tx, given.ownerIt, 'it')
    const id = needs.ids.next('tool')
    const store = toolStore(tx)
    if (await store.nameTaken(given.name, id))
      throw new Refusal('conflict', `There is a tool named “${given.name}” already.`)
    const registered = given.registered ?? true
    await store.insert({
      id,
      ...given,
      status: given.status ?? 'proposed',
      registered,
      evidence: given.evidence ?? null,
      at: clock.now(),
    })
    await audit.write(tx, {
      actor,
      deed: registered ? 'tool.created' : 'tool.found',
      object: { kind: 'tool', id },
      summary: registered ? `registered the tool “${given.name}”` : `found the tool “${given.name}”`,
      facts: { capability: given.capability },
    })
    return id
  }

  return {
    get,
    list: async () => (await toolStore(postgres).list()).map(show),
    integrationsOf: (id) => toolStore(postgres).integrationsOf(id),
    async assertUsable(tx, id) {
      const tool = await get(tx, id)
      if (tool === undefined) throw new Refusal('not_found', 'There is no such tool.')
      if (tool.owners.marketing === null || tool.owners.it === null)
        throw new Refusal('needs_owners', lacksOwner(tool.name, tool.owners), { tool: id })
      if (tool.blockedBecause !== null) throw new Refusal('not_now', tool.blockedBecause, { tool: id })
      return tool
    },
    createAs,
    async create(caller, given) {
      const id = await postgres.transaction((tx) => createAs(tx, actorOf(caller), given))
      const made = await get(postgres, id)
      if (made === undefined) throw new Error('a tool vanished')
      return made
    },
    connectAs: (tx, from, to, fields, purpose, agreed) =>
      toolStore(tx).connect(needs.ids.next('integration'), from, to, fields, purpose, agreed),
    async change(caller, id, change) {
      return postgres.transaction(async (tx) => {
        const store = toolStore(tx)
        const before = await get(tx, id)
        if (before === undefined) throw new Refusal('not_found', 'There is no such tool.')
        await checkOwner(tx, change.ownerMarketing, 'marketing')
        await checkOwner(tx, change.ownerIt, 'it')
        if (change.name !== undefined && (await store.nameTaken(change.name, id)))
          throw new Refusal('conflict', `There is a tool named “${change.name}” already.`)
        const fields = changedIn(before, change)
        if (fields.length === 0 && before.registered) return before
        await store.change(id, change, clock.now())
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'tool.changed',
          object: { kind: 'tool', id },
          summary: [
            ...(fields.length > 0 ? [`changed ${fields.map((field) => called[field]).join(', ')}`] : []),
            ...(before.registered ? [] : ['put it into the register']),
          ].join(' and '),
          facts: { fields: fields.join(' ') },
        })
        await needs.changed(tx, id, actorOf(caller))
        const after = await get(tx, id)
        if (after === undefined) throw new Error('a tool vanished')
        return after
      })
    },
  }
}

function blocked(row: ToolRow, today: string): string | null {
  if (!row.registered) return `“${row.name}” was found but never registered.`
  if (row.status === 'proposed') return `“${row.name}” is proposed, not live.`
  if (row.status === 'retired') return `“${row.name}” is retired.`
  if (row.ends_on !== null && row.ends_on < today) return `The contract of “${row.name}” ended on ${row.ends_on}.`
  if (row.owner_marketing === null || row.owner_it === null)
    return lacksOwner(row.name, { marketing: row.owner_marketing, it: row.owner_it })
  return null
}

function lacksOwner(name: string, owners: { marketing: unknown; it: unknown }): string {
  const sides = [...(owners.marketing === null ? ['Marketing'] : []), ...(owners.it === null ? ['IT'] : [])]
  return `“${name}” has no owner in ${sides.join(' and none in ')}.`
}

/** The facts of a tool as people call them, for what the audit log says of a change. */
const called: Readonly<Record<keyof z.output<typeof ToolChange>, string>> = {
  name: 'the name',
  vendor: 'the vendor',
  capability: 'what it is for',
  personalFields: 'the personal fields',
  region: 'the region',
  ownerMarketing: 'the owner in Marketing',
  ownerIt: 'the owner in IT',
  endsOn: 'the end of the contract',
  costMinor: 'the cost',
  status: 'how it stands',
}

/** Which facts a change really changes: a form sends all of them. */
function changedIn(before: Tool, change: z.output<typeof ToolChange>): (keyof typeof called)[] {
  const now: Required<Record<keyof typeof called, unknown>> = {
    ...before,
    ownerMarketing: before.owners.marketing?.id ?? null,
    ownerIt: before.owners.it?.id ?? null,
    endsOn: before.contract.endsOn,
    costMinor: before.contract.costMinor,
  }
  return (Object.keys(called) as (keyof typeof called)[]).filter(
    (key) => change[key] !== undefined && JSON.stringify(change[key]) !== JSON.stringify(now[key]),
  )
}
