import { systemClock } from '../../../platform/clock/clock.ts'
import type { SegmentDefinition } from '../../../modules/segments/contract.ts'
import type { Body } from '../../../modules/content/contract.ts'
import type { App } from '../build.ts'
import { staffMember } from './settle.ts'

const definition = (
  of: SegmentDefinition['groups'][number]['of'],
  match: 'all' | 'any' = 'all',
): SegmentDefinition => ({
  match: 'all',
  groups: [{ match, of, not: false }],
})
const letter = (subject: string, preheader: string, heading: string, text: string, button: string): Body => ({
  subject,
  preheader,
  design: {
    kind: 'blocks',
    blocks: [
      { kind: 'heading', text: heading },
      { kind: 'text', text },
      { kind: 'button', text: button, href: 'https://shop.lindqvist.example/new?from=mail' },
    ],
  },
})

/** Half-finished work on both sides, as a company has it on any Tuesday: made through the same doors as everybody's. Leaves out what is there. */
export async function ask(app: App): Promise<void> {
  const { segments, content, journeys, requests, consent, channels } = app
  const [campaigns, operations, head, engineer] = await Promise.all([
    staffMember(app, 'campaigns'),
    staffMember(app, 'operations'),
    staffMember(app, 'head'),
    staffMember(app, 'engineer'),
  ])
  await consent.setTopic(campaigns, {
    id: 'offers',
    name: 'Offers',
    description: 'What is cheaper this week, at most once a week.',
    wording: 'Yes, send me offers by e-mail. I can stop this at any time.',
    listed: true,
  })

  const segmentNamed = async (name: string, of: SegmentDefinition) =>
    (await segments.list()).find((one) => one.name === name) ?? (await segments.create(operations, name, of))
  const templateNamed = async (by: typeof campaigns, name: string, body: Body) =>
    (await content.list()).find((one) => one.name === name) ?? (await content.create(by, name, body))

  const active = await segmentNamed(
    'Bought in the last 60 days',
    definition([
      {
        kind: 'event',
        name: 'Order Completed',
        times: { is: 'at least', count: 1 },
        window: { kind: 'last', days: 60 },
        where: [],
      },
    ]),
  )
  const garden = await segmentNamed(
    'Looked at gardens, bought nothing for a month',
    definition([
      {
        kind: 'event',
        name: 'Product Viewed',
        times: { is: 'at least', count: 2 },
        window: { kind: 'last', days: 90 },
        where: [{ property: 'category', test: { is: 'equal', value: 'Garden' } }],
      },
      {
        kind: 'event',
        name: 'Order Completed',
        times: { is: 'did not' },
        window: { kind: 'last', days: 30 },
        where: [],
      },
    ]),
  )
  const sweden = await segmentNamed(
    'Customers in Sweden',
    definition([{ kind: 'trait', field: 'address.country', test: { is: 'equal', value: 'SE' } }]),
  )

  const autumn = await templateNamed(
    campaigns,
    'Autumn light',
    letter(
      'Light for long evenings, {{ person.firstName | default: "friend" }}',
      'Lamps, lanterns and a little patience.',
      'It is getting dark, and that is fine',
      'Dear {{ person.firstName | default: "friend" }}, the lamps that sold out last year are back.',
      'See the lamps',
    ),
  )
  const gardens = await templateNamed(
    campaigns,
    'Garden in autumn',
    letter(
      'Your garden before the first frost',
      'What to plant now.',
      'Plant now, be glad in April',
      'Dear {{ person.firstName | default: "friend" }}, bulbs want to be in the ground before the first frost.',
      'To the garden',
    ),
  )
  const store = await templateNamed(
    operations,
    'Stores: new hours',
    letter(
      'Our stores open earlier',
      'From Monday on.',
      'Good morning, {{ person.address.city | default: "everybody" }}',
      'From Monday our stores open at eight.',
      'Find your store',
    ),
  )

  const [sender] = await channels.senders()
  if (sender === undefined) throw new Error('the demo company has no sender')
  const broadcast = (
    name: string,
    templateId: typeof autumn.id,
    segmentId: typeof active.id,
    topicId: string,
    days: number | null,
  ) =>
    journeys.create(campaigns, {
      name,
      templateId,
      segmentId,
      senderId: sender.id,
      topicId,
      sendAt: days === null ? null : new Date(systemClock.ms() + days * 86_400_000).toISOString(),
    })

  const there = new Set((await journeys.list()).map((one) => one.name))

  // One waits for both keys.
  if (!there.has('Autumn light to recent customers')) {
    const light = await broadcast('Autumn light to recent customers', autumn.id, active.id, 'offers', null)
    const waiting = await requests.open(campaigns, 'broadcast', light.id, 'We would like this out before the weekend.')
    await requests.comment(
      engineer,
      waiting.id,
      'The mail route is quiet on Thursday evening; that would be a good slot.',
    )
  }
  // One had a key of marketing, and then the mail was changed: the key fell out.
  if (!there.has('Garden before the frost')) {
    const green = await broadcast('Garden before the frost', gardens.id, garden.id, 'offers', 2)
    const fallen = await requests.open(campaigns, 'broadcast', green.id, 'Goes to people who looked and did not buy.')
    const marketing = fallen.keys.find((slot) => slot.kind === 'marketing')
    if (marketing !== undefined) await requests.giveKey(head, fallen.id, fallen.releaseHash, 'marketing', undefined)
    await content.change(campaigns, gardens.id, 'Garden in autumn', {
      ...gardens.body,
      subject: 'Your garden before the first frost, {{ person.firstName | default: "friend" }}',
    })
  }
  // One has its key from marketing and waits for IT.
  if (!there.has('New opening hours, Sweden')) {
    const hours = await broadcast('New opening hours, Sweden', store.id, sweden.id, 'news', 1)
    const half = await requests.open(campaigns, 'broadcast', hours.id, 'Store managers have told their teams already.')
    if (half.keys.some((slot) => slot.kind === 'marketing'))
      await requests.giveKey(head, half.id, half.releaseHash, 'marketing', 'not before 08:00 Stockholm time')
  }
}
