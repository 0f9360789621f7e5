import { describe, expect, it } from 'vitest'
import { dice } from './dice.ts'
import { people } from './people.ts'
import { asCsv, crmColumns, crmExport, newsletterList } from './records.ts'
import { products, sessionsOf } from './shop.ts'
import { demoTools } from './stack.ts'

const nowMs = Date.parse('2028-02-29T10:00:00Z')
const company = (seed: number) => {
  const chance = dice(seed)
  const everybody = people(chance.fork('people'), 2_000)
  const catalogue = products(chance.fork('products'))
  const events = everybody
    .filter((person) => person.inShop)
    .flatMap((person) => [
      ...sessionsOf(person, chance.fork(`shop ${String(person.number)}`), catalogue, nowMs - 120 * 86_400_000, 120),
    ])
  return {
    everybody,
    events,
    crm: crmExport(chance.fork('crm'), everybody, 900),
    newsletter: newsletterList(chance.fork('newsletter'), everybody, nowMs),
  }
}

describe('the demo company', () => {
  const one = company(7)

  it('is the same company for the same seed and another for another', () => {
    expect(JSON.stringify(company(7))).toBe(JSON.stringify(one))
    expect(JSON.stringify(company(8))).not.toBe(JSON.stringify(one))
  })

  it('is awkward: accents, Cyrillic, apostrophes and far time zones all occur', () => {
    const names = one.everybody.map((person) => `${person.firstName} ${person.lastName} ${person.timeZone}`).join('\n')
    for (const sign of ['ö', 'Ł', 'Щ', '’', 'Kiritimati', 'Chatham'])
      expect(names.includes(sign) || (sign === '’' && names.includes("'"))).toBe(true)
  })

  it('has customers twice in the old CRM and households that share an address there', () => {
    expect(new Set(one.crm.map((row) => row.person)).size).toBeLessThan(one.crm.length)
    const people = new Map<string, Set<number>>()
    for (const row of one.crm) {
      const email = row.cells['E-MAIL']?.toLowerCase() ?? ''
      if (email !== '') people.set(email, (people.get(email) ?? new Set()).add(row.person))
    }
    expect([...people.values()].some((sharing) => sharing.size > 1)).toBe(true)
  })

  it('gives every event a message id of its own and signs in before it orders', () => {
    expect(new Set(one.events.map((event) => event.messageId)).size).toBe(one.events.length)
    for (const event of one.events) if (event.event === 'Order Completed') expect(event.userId).toBeTruthy()
  })

  it('shows a real effect: sessions that a newsletter brought order more often than those an advert on social media brought', () => {
    const rate = (campaign: string) => {
      const of = one.events.filter(
        (event) => (event.context['campaign'] as { name?: string } | undefined)?.name === campaign,
      )
      return (
        of.filter((event) => event.event === 'Order Completed').length /
        of.filter((event) => event.type === 'page' || event.type === 'screen').length
      )
    }
    expect(rate('spring-light')).toBeGreaterThan(1.5 * rate('social teaser'))
  })

  it('writes a CSV that quotes what needs it', () => {
    const text = asCsv(crmColumns, one.crm, ';')
    expect(text.startsWith('\uFEFFCUST_NO;')).toBe(true)
    expect(text).toContain('"wants ""only"" e-mail; no calls\nspoke to her son"')
  })

  it('runs 45 tools, four of which nobody registered', () => {
    expect(demoTools).toHaveLength(45)
    expect(demoTools.filter((tool) => tool.found !== undefined)).toHaveLength(4)
  })
})
