import { beforeAll, describe, expect, it } from 'vitest'
import { normaliseEmail } from '../../../lib/email/email.ts'
import type { Id } from '../../../lib/ids/ids.ts'
import { aCaller } from '../../../test/make/callers.ts'
import { aCampaignHouse, type CampaignHouse } from '../../../test/make/campaign-house.ts'
import { aLetter } from '../../../test/make/campaign.ts'

let house: CampaignHouse
let templateId: Id<'template'>
beforeAll(async () => {
  house = await aCampaignHouse()
  // The mail server of this house carries letters of ASCII only.
  await house.app.postgres.query("UPDATE accounts.person SET email = replace(email, 'á', 'a')")
  templateId = (await house.app.content.create(house.staff.author, 'Ljus “till” kvällen', aLetter)).id
})
const emailOf = async (id: string) => (await house.app.accounts.people()).find((one) => one.id === id)?.email ?? ''
const mails = () => house.sink.mails

describe('a test mail', () => {
  it('goes to the one who asks or to a colleague, says that it is a test, and leaves a trace', async () => {
    const { app, staff } = house
    for (const who of [staff.author, staff.it]) {
      const to = await emailOf(who.accountId)
      await app.content.sendTest(staff.author, templateId, { to: ` ${to.toUpperCase()} ` })
      expect(mails().at(-1)?.to).toBe(normaliseEmail(to))
      expect(mails().at(-1)?.raw).toMatch(/^Subject: .*(\[Test\]|=5BTest=5D|W1Rlc3Rd)/im)
      const [entry] = await app.audit.list({ kind: 'template', id: templateId, limit: 1 })
      expect(entry).toMatchObject({ deed: 'template.tested', facts: { recipient: who.accountId, version: 1 } })
    }
  })

  it('comes from the sender that is chosen, else from the oldest', async () => {
    const { app, staff } = house
    const to = await emailOf(staff.author.accountId)
    const other = await app.postgres.transaction((tx) =>
      app.channels.createSenderAs(tx, { kind: 'system', id: 'test' }, 'Töchter', 'hej@other.lindqvist.example'),
    )
    await app.content.sendTest(staff.author, templateId, { to, senderId: other })
    expect(mails().at(-1)?.raw).toContain('<hej@other.lindqvist.example>')
    await app.content.sendTest(staff.author, templateId, { to })
    expect(mails().at(-1)?.raw).toContain('<hej@news.lindqvist.example>')
    await expect(
      app.content.sendTest(staff.author, templateId, { to, senderId: 'sender_x' as Id<'sender'> }),
    ).rejects.toMatchObject({ code: 'not_found' })
  })

  it('goes to nobody else: not to a customer, not to somebody who left, not where nothing may go, and not for a program', async () => {
    const { app, staff, clock } = house
    const before = mails().length
    const author = staff.author
    const to = await emailOf(author.accountId)
    await expect(app.content.sendTest(author, templateId, { to: 'customer@post.example' })).rejects.toMatchObject({
      code: 'not_allowed',
    })
    await expect(app.content.sendTest({ ...author, kind: 'api-key' }, templateId, { to })).rejects.toMatchObject({
      code: 'not_allowed',
    })
    const gone = await aCaller(app.accounts, app.postgres, 'it', ['member'], clock.ms())
    const goneTo = await emailOf(gone.accountId)
    await app.postgres.query('UPDATE accounts.person SET disabled_at = $2 WHERE id = $1', [gone.accountId, clock.now()])
    await expect(app.content.sendTest(author, templateId, { to: goneTo })).rejects.toMatchObject({
      code: 'not_allowed',
    })
    const stopped = await aCaller(app.accounts, app.postgres, 'it', ['member'], clock.ms())
    const stoppedTo = await emailOf(stopped.accountId)
    await app.consent.suppressByHand(author, stoppedTo, '*')
    await expect(app.content.sendTest(author, templateId, { to: stoppedTo })).rejects.toMatchObject({
      code: 'not_now',
    })
    expect(mails()).toHaveLength(before)
  })

  it('leaves twenty times an hour for each person, also when they ask all at once', async () => {
    const { app, staff, clock } = house
    const [one, other] = [staff.marketing, staff.it]
    const to = await emailOf(other.accountId)
    const before = mails().length
    const tries = await Promise.allSettled(
      Array.from({ length: 24 }, () => app.content.sendTest(one, templateId, { to })),
    )
    expect(tries.filter((each) => each.status === 'fulfilled')).toHaveLength(20)
    expect(tries.find((each) => each.status === 'rejected')?.reason).toMatchObject({ code: 'too_many_tries' })
    expect(mails()).toHaveLength(before + 20)
    await app.content.sendTest(other, templateId, { to })
    clock.ahead(3_600_001)
    await app.content.sendTest(one, templateId, { to })
  })
})
