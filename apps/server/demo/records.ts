import type { Dice } from './dice.ts'
import { nicknames } from './names.ts'
import type { DemoPerson } from './people.ts'

/** A row of an export, with the truth beside it (`person`), which is never written into the file. */
export interface DemoRow {
  person: number
  cells: Record<string, string>
}

export const crmColumns = [
  'CUST_NO',
  'FIRST NAME',
  'LAST NAME',
  'E-MAIL',
  'PHONE',
  'BIRTH DATE',
  'STREET',
  'ZIP',
  'CITY',
  'COUNTRY',
  'CUSTOMER SINCE',
  'NOTES',
] as const

/** The old CRM: typos, nicknames, swapped names, shared household addresses, the same person twice, dates as people type them. */
export function crmExport(dice: Dice, everybody: readonly DemoPerson[], count: number): DemoRow[] {
  const rows: DemoRow[] = []
  // Nine rows in ten are a person's first; the rest are the same people entered again.
  const candidates = everybody.filter((person) => person.inCrm).slice(0, Math.round(count * 0.9))
  let customer = 100_000
  for (let turn = 0; rows.length < count && candidates.length > 0; turn++) {
    const person = candidates[turn % candidates.length]
    if (person === undefined) break
    // The second round through the list makes duplicates of some: the same person entered again by another shop assistant.
    if (turn >= candidates.length && dice.is(0.6)) continue
    customer += dice.whole(1, 9)
    const household = person.householdOf === undefined ? undefined : everybody[person.householdOf - 1]
    const email = household !== undefined && dice.is(0.7) ? household.email : person.email
    const nickname = nicknames[person.firstName]
    let firstName = nickname !== undefined && dice.is(0.2) ? nickname : person.firstName
    let lastName = dice.is(0.08) ? typo(dice, person.lastName) : person.lastName
    if (dice.is(0.02)) [firstName, lastName] = [lastName, firstName]
    const [year, month, day] = person.birthday.split('-')
    rows.push({
      person: person.number,
      cells: {
        CUST_NO: String(customer),
        'FIRST NAME': dice.is(0.05) ? firstName.toUpperCase() : firstName,
        'LAST NAME': lastName,
        'E-MAIL': dice.is(0.12) ? '' : dice.is(0.05) ? typo(dice, email) : dice.is(0.1) ? email.toUpperCase() : email,
        PHONE:
          person.phone === undefined || dice.is(0.25)
            ? ''
            : dice.is(0.4)
              ? person.phone.replace('+', '00')
              : person.phone.replace(/^(\+\d{3})(\d{3})/, '$1 $2 '),
        'BIRTH DATE': dice.is(0.2) ? '' : dice.is(0.03) ? '01.01.1900' : `${day ?? ''}.${month ?? ''}.${year ?? ''}`,
        STREET: dice.is(0.1) ? person.street.replace('straße', 'str.').replace('gatan', 'g.') : person.street,
        ZIP: person.postcode,
        CITY: person.city,
        COUNTRY: person.country,
        'CUSTOMER SINCE': `${pad(dice.whole(1, 28))}.${pad(dice.whole(1, 12))}.${String(dice.whole(2009, 2025))}`,
        NOTES: dice.is(0.05)
          ? 'wants "only" e-mail; no calls\nspoke to her son'
          : dice.is(0.04)
            ? 'VIP; likes Ærø linen'
            : '',
      },
    })
  }
  return rows
}

export const newsletterColumns = [
  'email',
  'first_name',
  'language',
  'topic',
  'consent',
  'consent_at',
  'consent_source',
] as const

/** The newsletter list with what people agreed to, and when. One in nine has withdrawn. */
export function newsletterList(dice: Dice, everybody: readonly DemoPerson[], nowMs: number): DemoRow[] {
  return everybody
    .filter((person) => person.inNewsletter)
    .map((person) => ({
      person: person.number,
      cells: {
        email: dice.is(0.03) ? person.email.replace('@', '+news@') : person.email,
        first_name: dice.is(0.06) ? '' : person.firstName,
        language: person.language,
        topic: dice.weighted([
          ['offers', 7],
          ['news', 3],
        ] as const),
        consent: dice.is(0.11) ? 'withdrawn' : 'given',
        consent_at: new Date(nowMs - dice.whole(2, 900) * 86_400_000).toISOString(),
        consent_source: dice.pick(['shop checkout', 'store card', 'footer form', 'Gewinnspiel 2024']),
      },
    }))
}

/** One slip of the finger: drop, double, swap or a neighbouring letter. */
function typo(dice: Dice, text: string): string {
  const letters = Array.from(text)
  if (letters.length < 3) return text
  const at = dice.whole(1, letters.length - 2)
  const kind = dice.whole(0, 3)
  const letter = letters[at] ?? ''
  if (kind === 0) letters.splice(at, 1)
  else if (kind === 1) letters.splice(at, 0, letter)
  else if (kind === 2) letters.splice(at, 2, letters[at + 1] ?? '', letter)
  else letters[at] = dice.pick(['e', 'a', 'n', 'r', 's'])
  return letters.join('')
}

/** RFC 4180 with a byte-order mark and the delimiter that is asked for, as the old programs write it. */
export function asCsv(columns: readonly string[], rows: readonly DemoRow[], delimiter: string): string {
  const cell = (value: string) =>
    /["\r\n]/.test(value) || value.includes(delimiter) ? `"${value.replaceAll('"', '""')}"` : value
  const lines = [
    columns.map(cell).join(delimiter),
    ...rows.map((row) => columns.map((column) => cell(row.cells[column] ?? '')).join(delimiter)),
  ]
  return `\uFEFF${lines.join('\r\n')}\r\n`
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
