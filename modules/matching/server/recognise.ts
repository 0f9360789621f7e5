import type { Kind } from '../../../lib/linkage/kinds.ts'

/** What is known of a column before it is compared. */
export interface ColumnFacts {
  name: string
  /** Values that are there, of the first rows. */
  samples: readonly string[]
  /** Of the first rows, the share that has a value. */
  filled: number
}

/** What a column is, or why it is not compared. */
export type Recognised = { kind: Kind } | { ignored: string }

/** By the words that a name is made of, in the languages of the files that we meet; the first that fits. */
const byName: readonly (readonly [RegExp, Kind | 'record id' | 'source'])[] = [
  [/^(id|rec_?id|record_?id|row_?(id|number)?|index|unique_?id|uuid|key|lp|nr)$/, 'record id'],
  [/^(source|src|source_?(dataset|file|system|name)|data_?source|origin)$/, 'source'],
  [
    /^((full|complete)_?name|(first|given)_?and_?(sur|last)_?name|person|contact(_?name)?|customer(_?name)?|name)$/,
    'fullName',
  ],
  [/e_?mail/, 'email'],
  [/(^|_)(phone|tel|telephone|telefon|mobile|cell|handy|fax|telefono|numer_telefonu)(_|$|number|nummer|no)/, 'phone'],
  [/(web_?site|^web$|^url$|homepage|domain|strona)/, 'website'],
  [
    /(^|_)(dob|birth_?da(te|y)|date_?of_?birth|born|geburts(datum|tag)|geb_?dat|data_urodzenia|date_?de_?naissance|fecha_?de_?nacimiento|dogum_tarihi)(_|$)/,
    'dateOfBirth',
  ],
  [
    /(^|_)(first|given|fore|christian)_?names?(_|$)|^(fname|first|vorname|rufname|prenom|imie|nombre|ad|imya)$/,
    'givenName',
  ],
  [
    /(^|_)(last|sur|family|second)_?names?(_|$)|^(lname|last|nachname|familienname|zuname|nom|nom_de_famille|nazwisko|apellidos?|soyad|familiya)$/,
    'surname',
  ],
  [
    /(^|_)(company|organi[sz]ation|organisation|firma|firm|employer|business|entreprise|societe|site|agency|store|vendor|institution|account)(_?name)?(_|$)/,
    'company',
  ],
  [
    /(^|_)(ssn|soc_?sec(_?id)?|social_?security|national_?id|passport|tax_?(id|no)|vat(_?(id|no))?|nhs|insurance|pesel|nip|nino|isbn|ean|sku|(customer|member|client|account)_?(id|no|number)|kundennummer)(_|$)/,
    'id',
  ],
  [/(post_?(code|al)|zip|^plz$|postleitzahl|kod_pocztowy|code_postal|codigo_postal)/, 'postcode'],
  [/(^|_)(street_?(no|number|num)|house_?(no|number|num)|hausnummer|hnr|building_?(no|number)|nr_domu)(_|$)/, 'number'],
  [/(addr|street|strasse|str$|adres|rue|calle|ulica)/, 'address'],
  [
    /(^|_)(city|town|suburb|village|place|ort|stadt|locality|municipality|county|ville|miasto|ciudad|birth_?place|geburtsort|district)(_|$)/,
    'place',
  ],
  [
    /(^|_)(state|gender|sex|country|land|geschlecht|region|province|title|anrede|salutation|occupation|profession|beruf|job|type|status|category|language|bundesland)(_|$)/,
    'category',
  ],
  [/(^|_)(notes?|description|comments?|remarks?|text|bemerkung)(_|$)/, 'text'],
]

const share = (values: readonly string[], fits: (value: string) => boolean) =>
  values.length === 0 ? 0 : values.filter(fits).length / values.length
const fold = (name: string) =>
  name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '_')
    .replaceAll(/^_|_$/g, '')

/** Finds out what each column says, by its name and by its values. What says nothing of an entity is left out, with the reason. */
export function recogniseColumns(columns: readonly ColumnFacts[]): Recognised[] {
  const found = columns.map(recognise)
  const has = (kind: Kind) => found.some((one) => 'kind' in one && one.kind === kind)
  const bothNames = has('givenName') && has('surname')
  return found.map((one) =>
    bothNames && 'kind' in one && one.kind === 'fullName' ? { ignored: 'given name and surname say it already' } : one,
  )
}

function recognise({ name, samples, filled }: ColumnFacts): Recognised {
  if (samples.length === 0 || filled < 0.01) return { ignored: 'nearly empty' }
  const distinct = new Set(samples).size
  if (distinct === 1) return { ignored: 'the same in every row' }
  const called = byName.find(([words]) => words.test(fold(name)))?.[1]
  if (called === 'record id') return { ignored: 'the number of a row' }
  if (called === 'source') return { ignored: 'where a row comes from' }
  if (called !== undefined) return { kind: inData(called, samples) }
  if (share(samples, (value) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) > 0.8) return { kind: 'email' }
  if (share(samples, (value) => /^(https?:\/\/|www\.)/.test(value)) > 0.8) return { kind: 'website' }
  if (share(samples, (value) => /^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}$|^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}$/.test(value)) > 0.8)
    return { kind: 'dateOfBirth' }
  if (share(samples, (value) => /^(\+|00)[\d ()/-]{7,}$/.test(value)) > 0.8) return { kind: 'phone' }
  const words = samples.reduce((sum, value) => sum + value.split(/\s+/).length, 0) / samples.length
  if (distinct === samples.length && words < 1.5 && share(samples, (value) => /\d/.test(value)) > 0.8)
    return { ignored: 'another in every row: a number of the row' }
  if (distinct <= Math.max(12, samples.length * 0.03)) return { kind: 'category' }
  return { kind: words >= 3 ? 'text' : 'place' }
}

/** A name promises more than the values keep, at times. */
function inData(kind: Kind, samples: readonly string[]): Kind {
  if (kind === 'fullName' && share(samples, (value) => value.split(/\s+/).length > 4) > 0.5) return 'text'
  return kind
}
