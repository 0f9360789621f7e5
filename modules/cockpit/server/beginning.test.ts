import { describe, expect, it } from 'vitest'
import { aCampaignHouse } from '../../../test/make/campaign-house.ts'
import { beginning, type SoFar } from './beginning.ts'

const empty: SoFar = {
  staff: [{ side: 'it', roles: ['administrator', 'approver'] }],
  route: { toolId: 'tool_1', owners: { marketing: null, it: null } },
  senders: 0,
  people: 0,
  topics: [{ name: 'News', granted: 0 }],
  requests: 0,
}
const left = (now: Partial<SoFar>) =>
  beginning({ ...empty, ...now })
    .filter((step) => !step.done)
    .map((step) => step.key)

describe('the way from an empty installation to the first request', () => {
  it.each<[string, Partial<SoFar>, string]>([
    [
      'there are two people, one of each side, and one gives keys',
      { staff: [...empty.staff, { side: 'marketing', roles: ['member'] }] },
      'staff',
    ],
    [
      'the mail route has an owner on each side',
      { route: { ...empty.route, owners: { marketing: {}, it: {} } } },
      'owners',
    ],
    ['there is a sender', { senders: 1 }, 'sender'],
    ['somebody is known', { people: 1 }, 'people'],
    ['somebody agreed to a topic', { topics: [...empty.topics, { name: 'Öppet hus', granted: 1 }] }, 'topic'],
    ['something was asked for', { requests: 1 }, 'request'],
  ])('is a step shorter when %s', (_what, now, key) => {
    expect(left(empty)).toContain(key)
    expect(left(now)).toEqual(left(empty).filter((one) => one !== key))
  })

  it('asks for somebody who gives keys on each side once a day of cooling off no longer stands for a key', () => {
    const member = { side: 'marketing' as const, roles: ['member'] }
    expect(left({ staff: [...empty.staff, member, member] })).not.toContain('staff')
    expect(left({ staff: [...empty.staff, member, member, member] })).toContain('staff')
    expect(left({ staff: [...empty.staff, member, member, { ...member, roles: ['approver'] }] })).not.toContain('staff')
    expect(left({ staff: [member, { side: 'it', roles: ['member'] }] })).toContain('staff')
  })

  it('names the side that is missing', () => {
    const [staff, owners] = beginning({ ...empty, route: { toolId: 'tool_1', owners: { marketing: null, it: {} } } })
    expect(staff?.sentence).toContain('Nobody of Marketing is here yet.')
    expect(owners?.sentence).toContain('no owner in Marketing.')
  })

  it('is gone once all of it is done, and never comes back once something went out', async () => {
    const { app, staff, customers, ask, launch, becomes } = await aCampaignHouse()
    const steps = async () => (await app.cockpit.home(staff.author)).beginning
    expect((await steps()).filter((step) => step.done).map((step) => step.key)).toEqual(['staff', 'owners', 'sender'])
    await customers('först', 3)
    const asked = await ask('först')
    expect(await steps()).toEqual([])
    await launch(asked)
    await becomes(asked, 'done')
    await app.tools.change(staff.author, (await app.channels.route()).toolId, { ownerIt: null })
    expect(await steps()).toEqual([])
  })
})
