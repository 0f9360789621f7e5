import type { CsvColumn } from '../../../lib/csv/detect.ts'
import type { Column, Meaning } from '../contract.ts'

/** What a column's name usually stands for in exports, in the languages our users' old systems speak. First match wins. */
const usual: readonly (readonly [RegExp, Meaning])[] = [
  [
    /^(cust(omer)?|kd|kund(en)?|client|crm)[ _-]?(no|nr|nummer|number|id|code)?$/i,
    { kind: 'identifier', type: 'crm_id' },
  ],
  [/^(user[ _-]?id|login)$/i, { kind: 'identifier', type: 'user_id' }],
  [/^e-?mail([ _-]?(address|adresse))?$|^courriel$|^epost$/i, { kind: 'identifier', type: 'email' }],
  [/^(phone|tele(ph|f)on|tel|mobile?|handy)([ _-]?(no|nr|number|nummer))?$/i, { kind: 'identifier', type: 'phone' }],
  [/^(first|given)[ _-]?name$|^vorname$|^förnamn$|^prénom$|^imię$/i, { kind: 'trait', name: 'firstName' }],
  [/^(last|family|sur)[ _-]?name$|^nachname$|^efternamn$|^nom$|^nazwisko$/i, { kind: 'trait', name: 'lastName' }],
  [/^(full[ _-]?)?name$/i, { kind: 'trait', name: 'name' }],
  [
    /^(birth[ _-]?(day|date)|date[ _-]?of[ _-]?birth|dob|geburtsdatum|födelsedatum)$/i,
    { kind: 'trait', name: 'birthday' },
  ],
  [/^(gender|sex|geschlecht|anrede)$/i, { kind: 'trait', name: 'gender' }],
  [/^(street|strasse|straße|gata|rue|address( ?line)?( ?1)?)$/i, { kind: 'trait', name: 'address.street' }],
  [/^(zip|post(al)?[ _-]?code|plz|postnummer)$/i, { kind: 'trait', name: 'address.postalCode' }],
  [/^(city|town|ort|stadt|ville)$/i, { kind: 'trait', name: 'address.city' }],
  [/^(country|land|pays)$/i, { kind: 'trait', name: 'address.country' }],
  [/^(company|firma|organi[sz]ation)$/i, { kind: 'trait', name: 'company' }],
  [/^(language|locale|sprache|lang)$/i, { kind: 'trait', name: 'language' }],
  [/^(time[ _-]?zone|tz)$/i, { kind: 'trait', name: 'timeZone' }],
  [/^(customer[ _-]?since|created([ _-]?at)?|kunde[ _-]?seit|since)$/i, { kind: 'trait', name: 'customerSince' }],
  [/^(topic|list|newsletter)$/i, { kind: 'consent', part: 'topic' }],
  [/^(consent|opt[ _-]?in|status|einwilligung)$/i, { kind: 'consent', part: 'state' }],
  [/^(consent|opt[ _-]?in)[ _-]?(at|date|time)$/i, { kind: 'consent', part: 'at' }],
  [/^(consent|opt[ _-]?in)[ _-]?(source|from|origin)$/i, { kind: 'consent', part: 'source' }],
  [/^(notes?|comments?|bemerkung(en)?|remarks?)$/i, { kind: 'ignore' }],
]

/** What opens an account somewhere, also as a hash: left out, and no sample of it is shown or kept. */
const secret = /^(user[ _-]?)?(pass(word|wd|wort)?|kennwort)([ _-]?hash)?$|^session[ _-]?tokens?$/i

/** A first guess of what each column means; a person sees and corrects it. Free text is left out unless it is asked for. */
export function guessMeanings(columns: readonly CsvColumn[]): Column[] {
  // Whether somebody agreed is taken as that only where the file says to what; else it is offered (contract.ts, looksLikeConsent).
  const isTopic = ({ name, type }: CsvColumn) => /^(topic|list|newsletter)$/i.test(name.trim()) && type !== 'boolean'
  const hasConsent = columns.some(isTopic) && columns.some(({ name }) => /consent|opt[ _-]?in|einwilligung/i.test(name))
  return columns.map((column) => {
    const name = column.name.trim()
    if (secret.test(name)) return { ...column, samples: [], meaning: { kind: 'ignore' } }
    const known = usual.find(
      ([pattern, meaning]) =>
        pattern.test(name) &&
        (meaning.kind !== 'consent' || (hasConsent && (meaning.part !== 'topic' || isTopic(column)))),
    )
    if (known !== undefined) return { ...column, type: typeFor(known[1], column.type), meaning: known[1] }
    if (column.type === 'email') return { ...column, meaning: { kind: 'identifier', type: 'email' } }
    const trait = camelCase(name)
    return {
      ...column,
      meaning:
        /^[a-z][A-Za-z0-9]*$/.test(trait) && !/^column[0-9]+$/.test(trait)
          ? { kind: 'trait', name: trait }
          : { kind: 'ignore' },
    }
  })
}

/** Postcodes and customer numbers are written with digits but are no numbers: 02826 must stay 02826. */
function typeFor(meaning: Meaning, type: Column['type']): Column['type'] {
  if (meaning.kind === 'trait' && meaning.name === 'address.postalCode') return 'text'
  if (meaning.kind !== 'identifier') return type
  return meaning.type === 'email' || meaning.type === 'phone' ? meaning.type : 'text'
}

function camelCase(name: string): string {
  const words = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
  return words
    .map((word, index) =>
      index === 0 ? word.toLowerCase() : word.charAt(0).toUpperCase() + word.slice(1).toLowerCase(),
    )
    .join('')
}
