import { beforeEach, describe, expect, it } from 'vitest'
import { aCaller } from '../../../test/make/callers.ts'
import { anOffice } from '../../../test/make/offices.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { createIds, systemRandom } from '../../../platform/random/random.ts'
import type { Audit } from '../../audit/server/index.ts'
import { createTools, type Tools } from './index.ts'
import { NewTool, type Tool } from '../contract.ts'

describe('a tool', () => {
  let tools: Tools
  let audit: Audit
  let ida: Caller
  let mara: Caller
  let tool: Tool
  let lookedAgain: number
  beforeEach(async () => {
    const { accounts, postgres, clock, ...office } = await anOffice()
    audit = office.audit
    lookedAgain = 0
    tools = createTools({
      postgres,
      clock,
      ids: createIds(clock, systemRandom),
      audit,
      person: (tx, id) => accounts.person(tx, id),
      changed() {
        lookedAgain += 1
        return Promise.resolve()
      },
    })
    ida = await aCaller(accounts, postgres, 'it', ['approver'], clock.ms())
    mara = await aCaller(accounts, postgres, 'marketing', ['member'], clock.ms())
    tool = await tools.create(ida, NewTool.parse({ name: 'Läden & Söhne Mail', capability: 'Message' }))
    tool = await tools.change(ida, tool.id, { status: 'live' })
    lookedAgain = 0
  })
  /** What a form sends: every fact, changed or not. */
  const form = (change: { ownerMarketing?: Caller['accountId']; ownerIt?: Caller['accountId'] }) => ({
    name: tool.name,
    vendor: tool.vendor,
    capability: tool.capability,
    personalFields: tool.personalFields,
    region: tool.region,
    ownerMarketing: null,
    ownerIt: null,
    endsOn: null,
    costMinor: null,
    ...change,
  })
  const last = async () => (await audit.list({ kind: 'tool', limit: 1 }))[0]?.summary

  it('that lacks an owner on both sides says so of both', async () => {
    expect(tool.blockedBecause).toBe('“Läden & Söhne Mail” has no owner in Marketing and none in IT.')
    await tools.change(mara, tool.id, { ownerMarketing: mara.accountId })
    const [now] = await tools.list()
    expect(now?.blockedBecause).toBe('“Läden & Söhne Mail” has no owner in IT.')
  })

  it('is audited with what really changed, of all that the form sends', async () => {
    await tools.change(ida, tool.id, form({ ownerMarketing: mara.accountId, ownerIt: ida.accountId }))
    expect(await last()).toBe('changed the owner in Marketing, the owner in IT')
    expect(lookedAgain).toBe(1)
  })

  it('that is saved as it was is not changed: no entry, and no key falls out', async () => {
    const before = (await audit.list({ kind: 'tool', limit: 50 })).length
    await tools.change(ida, tool.id, form({}))
    expect((await audit.list({ kind: 'tool', limit: 50 })).length).toBe(before)
    expect(lookedAgain).toBe(0)
  })
})
