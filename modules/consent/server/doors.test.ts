import { expect, it } from 'vitest'
import { aCampaignHouse } from '../../../test/make/campaign-house.ts'

it('an unsubscribe holds against the key of the shop’s own page, for the sender and in segments', async () => {
  const { app, staff, customers, clock } = await aCampaignHouse()
  await customers('held', 2)
  const email = 'p0@held.example'
  const key = app.consent.addressKey(email)
  const shop = await app.postgres.transaction((tx) =>
    app.sources.createAs(tx, { kind: 'system', id: 'test' }, { name: 'Lädchen', kind: 'web' }),
  )
  const size = () =>
    app.segments.size({
      match: 'all',
      groups: [{ match: 'all', of: [{ kind: 'consent', topic: 'news', state: 'given' }], not: false }],
    })
  expect(await size()).toMatchObject({ people: 2 })

  await app.consent.unsubscribe({ message: 'message_1', addressKey: key, topic: 'news' }, 'topic', 'one-click')
  clock.ahead(60_000)
  await app.collect.accept(
    shop,
    ['news', 'brand new'].map((topic) => ({
      type: 'track',
      event: 'Consent Given',
      anonymousId: 'anybody',
      timestamp: clock.now().toISOString(),
      properties: { email, topic, doubleOptIn: true, proof: 'made up' },
    })),
    'test',
  )
  await app.collect.drained()
  const standing = await app.consent.standing(key)
  expect(standing.suppressions).toMatchObject([{ scope: 'news', reason: 'unsubscribed' }])
  expect(standing.topics.filter((topic) => topic.mailable)).toEqual([])
  expect(await size()).toMatchObject({ people: 1 })
  expect(await app.consent.unknownTopics()).toMatchObject([{ sourceId: shop.id, name: 'brand new', events: 1 }])

  const [news] = await app.consent.topics()
  if (news === undefined) throw new Error('there is no topic')
  await app.consent.setTopic(staff.author, { ...news, wording: 'Yes, and quickly.' })
  expect(await app.consent.topics()).toMatchObject([{ id: 'news', wording: 'Yes, and quickly.' }])
})
