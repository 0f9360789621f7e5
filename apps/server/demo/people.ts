import type { Dice } from './dice.ts'
import { asciiLocalPart, regions, type Region } from './names.ts'

/** One real customer of the demo company: the truth behind all feeds. */
export interface DemoPerson {
  /** The truth's own number, 1 … n; never written into a feed. */
  number: number
  firstName: string
  lastName: string
  gender: 'f' | 'm'
  birthday: string
  email: string
  phone: string | undefined
  street: string
  postcode: string
  city: string
  country: string
  language: string
  timeZone: string
  /** Lives with this person and uses the same mail address in the old CRM. */
  householdOf: number | undefined
  /** Which feeds know this person. */
  inShop: boolean
  inCrm: boolean
  inNewsletter: boolean
  usesApp: boolean
  /** How much this person buys: 0 nearly never … 1 often. Drives sessions and orders. */
  appetite: number
  /** Favourite category, which shows in views and orders. */
  favourite: string
}

export const categories = ['Kitchen', 'Garden', 'Kids', 'Outdoor', 'Bedding', 'Lighting'] as const

const mailDomains = [
  'mail.example',
  'post.example',
  'web.example',
  'fjord.example',
  'boîte.example',
  'inbox.example',
] as const

/** @param count how many customers */
export function people(dice: Dice, count: number): DemoPerson[] {
  const all: DemoPerson[] = []
  const taken = new Set<string>()
  const weights = regions.map((region) => [region, region.weight] as const)
  for (let number = 1; number <= count; number++) {
    const partner = number > 1 && dice.is(0.06) ? all[number - 2] : undefined
    const region: Region =
      partner === undefined
        ? dice.weighted(weights)
        : (regions.find((other) => other.country === partner.country) ?? dice.weighted(weights))
    const gender = dice.is(0.56) ? ('f' as const) : ('m' as const)
    const firstName = dice.pick(gender === 'f' ? region.women : region.men)
    const lastName = partner === undefined ? dice.pick(region.families) : partner.lastName
    const [city, postcode] = dice.pick(region.cities)
    const birthYear = 2006 - Math.round(Math.min(74, Math.abs(dice.normal() * 20 + 16)))
    const base = `${asciiLocalPart(firstName)}.${asciiLocalPart(lastName)}`
    let email = `${base}@${dice.pick(mailDomains.slice(0, 5))}`.replace('boîte', 'boite')
    if (taken.has(email)) email = email.replace('@', `${birthYear % 100}.${number}@`)
    taken.add(email)
    const inShop = dice.is(0.72)
    const inNewsletter = dice.is(0.55)
    all.push({
      number,
      firstName,
      lastName,
      gender,
      birthday: `${birthYear}-${pad(dice.whole(1, 12))}-${pad(dice.whole(1, 28))}`,
      email,
      phone: dice.is(0.7) ? `${region.phonePrefix}${String(dice.whole(1_000_000, 9_999_999))}` : undefined,
      street: partner === undefined ? `${dice.pick(region.streets)} ${String(dice.whole(1, 180))}` : partner.street,
      postcode: partner === undefined ? postcode : partner.postcode,
      city: partner === undefined ? city : partner.city,
      country: region.country,
      language: region.language,
      timeZone: region.timeZone,
      householdOf: partner?.number,
      inShop,
      inCrm: dice.is(0.4) || (!inShop && !inNewsletter),
      inNewsletter,
      usesApp: inShop && dice.is(0.28),
      appetite: Math.min(1, dice.lognormal(0.18, 0.9)),
      favourite: dice.pick(categories),
    })
  }
  return all
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
