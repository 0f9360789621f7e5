import type { Id } from '../../../lib/ids/ids.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Role } from '../../../modules/accounts/contract.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { App } from '../build.ts'
import { demoIntegrations, demoStaff, demoTools } from './stack.ts'
import { demoPassword } from './staff.ts'

const dayMs = 86_400_000
const actor = { kind: 'system', id: 'demo' } as const

/** Somebody who works there, signed in and with a fresh proof, as on the page. */
export async function staffMember(app: App, key: (typeof demoStaff)[number]['key']): Promise<Caller> {
  const email = demoStaff.find((one) => one.key === key)?.email ?? ''
  const { token, caller } = await app.accounts.signIn(email, demoPassword, 'demo')
  await app.accounts.confirmStepUp(caller, { method: 'password', password: demoPassword })
  const steppedUp = await app.accounts.bySession(token)
  if (steppedUp === undefined) throw new Error(`the demo company has no ${key}`)
  return steppedUp
}

/** The people of both sides, the tools, the feeds and the sender: what a company has before the first event. Leaves out what is there. */
export async function settle(app: App): Promise<void> {
  const { postgres, accounts, tools, sources, channels } = app
  const known = new Map((await accounts.people()).map((person) => [person.email, person.id]))
  const staff = new Map<string, Id<'account'>>()
  for (const one of demoStaff)
    staff.set(
      one.key,
      known.get(one.email) ??
        (await postgres.transaction((tx) =>
          accounts.createPerson(tx, {
            email: one.email,
            name: one.name,
            side: one.side,
            roles: [...one.roles] as Role[],
            password: demoPassword,
          }),
        )),
    )
  const owner = (key: string) => staff.get(key) ?? null
  const marketing = ['head', 'operations', 'campaigns']
  const it = ['engineer', 'run']
  const made = new Map<string, Id<'tool'>>()
  const furnish = async (tx: Postgres) => {
    for (const [index, tool] of demoTools.entries()) {
      // The mail route exists already: it is a tool from the first start on.
      if (tool.name === 'Mail route A') continue
      const both = tool.owners === 'both'
      made.set(
        tool.name,
        await tools.createAs(tx, actor, {
          name: tool.name,
          vendor: tool.vendor,
          capability: tool.capability as Parameters<typeof tools.createAs>[2]['capability'],
          personalFields: tool.personalFields,
          region: tool.region,
          ownerMarketing: both || tool.owners === 'marketing' ? owner(marketing[index % marketing.length] ?? '') : null,
          ownerIt: both || tool.owners === 'it' ? owner(it[index % it.length] ?? '') : null,
          endsOn:
            tool.endsInDays === undefined
              ? null
              : new Date(systemClock.ms() + tool.endsInDays * dayMs).toISOString().slice(0, 10),
          costMinor: tool.costPerYear === undefined ? null : tool.costPerYear * 100,
          status: tool.status,
          registered: tool.found === undefined,
          ...(tool.found === undefined ? {} : { evidence: tool.found }),
        }),
      )
    }
    for (const [from, to, fields, purpose, agreed] of demoIntegrations) {
      const [a, b] = [made.get(from), made.get(to)]
      if (a !== undefined && b !== undefined) await tools.connectAs(tx, a, b, [...fields], purpose, agreed)
    }
    for (const [name, kind, tool] of [
      ['Web shop', 'web', 'Web shop'],
      ['Shop app', 'app', 'Shop app'],
      ['Tills', 'server', 'Till system'],
      ['Old CRM', 'crm', 'Old CRM'],
      ['Newsletter list', 'newsletter', 'Newsletter list'],
    ] as const) {
      const toolId = made.get(tool)
      await sources.createAs(tx, actor, { name, kind, ...(toolId === undefined ? {} : { toolId }) })
    }
    await channels.createSenderAs(tx, actor, 'Lindqvist & Töchter', 'hej@news.lindqvist.example')
  }
  // All of it or nothing, so one source tells of everything.
  if (!sources.list().some((source) => source.name === 'Web shop')) await postgres.transaction(furnish)
  const administrator = await staffMember(app, 'run')
  await tools.change(administrator, await channels.prepareRoute(), {
    ownerMarketing: owner('head'),
    ownerIt: owner('run'),
    endsOn: new Date(systemClock.ms() + 120 * dayMs).toISOString().slice(0, 10),
  })
}
