import { Webhook } from 'standardwebhooks'
import type { Id } from '../../lib/ids/ids.ts'
import type { Contract, Destination, Settings } from '../../modules/destinations/contract.ts'
import type { RequestView } from '../../modules/requests/contract.ts'
import type { Source } from '../../modules/sources/contract.ts'
import { giveKeys } from './campaign.ts'
import type { CampaignHouse } from './campaign-house.ts'
import type { Arrived } from './receiver.ts'

/** A source with a tool of its own in the register. */
export async function aSource(
  house: CampaignHouse,
  name = 'Kassan “ö” & web',
  kind: 'server' | 'web' = 'server',
): Promise<Source> {
  const known = house.app.sources.list().find((one) => one.name === name)
  if (known !== undefined) return known
  return house.app.postgres.transaction((tx) =>
    house.app.sources.createAs(tx, { kind: 'system', id: 'test' }, { name, kind }),
  )
}

export interface Made {
  destination: Destination & { made: Record<string, string> }
  request: RequestView
}

let count = 0

/** A destination whose tool has an owner on each side, and the request for it; no key yet. */
export async function aDestination(
  house: CampaignHouse,
  of: { kind?: string; settings: Settings; source: Source; contract?: Partial<Contract> },
): Promise<Made> {
  const { app, staff } = house
  count += 1
  const destination = await app.destinations.create(staff.author, {
    name: `Lagerhaus “Łódź” ${String(count)}`,
    kind: of.kind ?? 'webhook',
    toolId: null,
    settings: of.settings,
    contract: {
      sources: [of.source.id],
      events: [{ type: 'track', name: 'Order Completed' }],
      fields: ['userId', 'properties.total'],
      purpose: 'Paketlager weiß, was zu packen ist',
      frequency: 'at_once',
      ...of.contract,
    },
  })
  await app.tools.change(staff.author, destination.tool.id, {
    ownerMarketing: staff.marketing.accountId,
    ownerIt: staff.it.accountId,
  })
  return { destination, request: await app.requests.open(staff.author, 'integration', destination.id, '') }
}

/** Every key that is needed, and it is live. */
export async function letLive(house: CampaignHouse, { request }: Pick<Made, 'request'>): Promise<void> {
  const ready = await giveKeys(house.app, house.staff, house.clock, request)
  await house.app.requests.launch(house.staff.author, ready.id, ready.releaseHash)
}

/** Orders of one source, stored when it resolves. */
export async function order(house: CampaignHouse, source: Source, orders: readonly object[]): Promise<void> {
  await house.app.collect.accept(
    source,
    orders.map((more) => ({ type: 'track', event: 'Order Completed', userId: 'u-1', ...more })),
    'test',
  )
  await house.app.collect.drained()
}

export const shown = (house: CampaignHouse, id: Id<'destination'>) => house.app.destinations.get(house.staff.author, id)

export interface Body {
  id: string
  type: string
  event: string
  timestamp: string
  data: Record<string, unknown>
}
export const bodyOf = (arrived: Arrived | undefined) => JSON.parse(arrived?.body ?? 'null') as Body

/** Checks a signature as the receivers' own library does. @throws when it is not right */
export function verified(secret: string, arrived: Arrived): Body {
  const headers = Object.fromEntries(
    ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => [name, String(arrived.headers[name])]),
  )
  return new Webhook(secret).verify(arrived.body, headers) as Body
}

/** Fast enough to watch. */
export const hasty = { baseMs: 5, capMs: 40, askedCapMs: 3_600_000, hopelessMs: 24 * 3_600_000, aloneMs: 3_600_000 }
