import { smallCompany } from '../../policy/contract.ts'
import type { Step } from '../contract.ts'

/** What is there so far, of what a first mail needs. */
export interface SoFar {
  /** Who work here and are not disabled. */
  staff: readonly { side: 'marketing' | 'it'; roles: readonly string[] }[]
  route: { toolId: string; owners: { marketing: unknown; it: unknown } }
  senders: number
  people: number
  /** The topics that mail can be about, and how many addresses agreed to each. */
  topics: readonly { name: string; granted: number }[]
  requests: number
}

const sideName = { marketing: 'Marketing', it: 'IT' } as const
const isApprover = (person: SoFar['staff'][number]) => person.roles.includes('approver')
const sides = ['marketing', 'it'] as const

/** From an empty installation to the first request, in the order in which one step needs the one before. */
export function beginning(now: SoFar): Step[] {
  // In a small company one key is enough, of whichever side has somebody for it; an owner is needed on each side all the same.
  const role = now.staff.length < smallCompany && now.staff.some(isApprover) ? undefined : 'approver'
  const missing = sides.filter(
    (side) => !now.staff.some((person) => person.side === side && (role === undefined || isApprover(person))),
  )
  const withoutOwner = sides.filter((side) => now.route.owners[side] === null)
  const [topic] = now.topics
  return [
    {
      key: 'staff',
      title: 'Invite the other side',
      sentence: `Whoever asked gives no key, so it takes both sides. ${missing.length === 0 ? 'Both have who they need.' : role === undefined ? `Nobody of ${named(missing)} is here yet.` : `Nobody of ${named(missing)} gives keys yet: that takes the role approver.`}`,
      href: '/settings/people?invite=yes',
      done: missing.length === 0,
      permission: 'admin',
    },
    {
      key: 'owners',
      title: 'Name the owners of the mail route',
      sentence: `Nothing goes through a tool for which nobody answers. ${withoutOwner.length === 0 ? 'The mail route has an owner on each side.' : `The mail route has no owner in ${named(withoutOwner)}.`}`,
      href: `/tools/${now.route.toolId}`,
      done: withoutOwner.length === 0,
      permission: 'register.write',
    },
    {
      key: 'sender',
      title: 'Add a sender',
      sentence: 'Who mails are from. Its DKIM key is made here; the page shows the DNS records that it needs.',
      href: '/settings/senders',
      done: now.senders > 0,
      permission: 'register.write',
    },
    {
      key: 'people',
      title: 'Let people come in',
      sentence: 'Connect a site, an app or a server as a source, or import a file of a CRM into one.',
      href: '/sources?add=yes',
      done: now.people > 0,
      permission: 'data.write',
    },
    {
      key: 'topic',
      title: 'Have somebody agree to a topic',
      sentence: `Mail goes to those alone who agreed to its topic${topic === undefined ? '' : `, such as “${topic.name}”`}. Events and imported files say who did.`,
      href: '/settings/topics',
      done: now.topics.some(({ granted }) => granted > 0),
      permission: 'campaigns.write',
    },
    {
      key: 'request',
      title: 'Make a broadcast and ask for it',
      sentence: 'A segment, a mail and a time. What it needs is computed, and its request says for whom it waits.',
      href: '/campaigns/new',
      done: now.requests > 0,
      permission: 'campaigns.write',
    },
  ]
}

const named = (of: readonly (keyof typeof sideName)[]) => of.map((side) => sideName[side]).join(' or ')
