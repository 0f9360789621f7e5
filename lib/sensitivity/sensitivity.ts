/** 0 nothing personal · 1 pseudonymous · 2 contact · 3 behaviour or purchases joined with contact · 4 special category, children, payment, credentials. */
export type Sensitivity = 0 | 1 | 2 | 3 | 4

/** What names of fields say, in the languages our users' systems speak. First match wins; the strictest first. */
const byName: readonly (readonly [RegExp, Sensitivity])[] = [
  [
    /health|medical|diagnos|allerg|disab|religio|ethnic|race|sexual|orientation|politic|union|biometr|genetic|krank|sjuk|santé|pregnan/i,
    4,
  ],
  [/child|kids?age|minor|kind(er)?(name|alter)/i, 4],
  [
    /iban|card(number|no)|creditcard|cvv|cvc|password|passwort|secret|token|ssn|personnummer|pesel|passport|nationalid|steuerid|insurance/i,
    4,
  ],
  [
    /order|purchase|revenue|spent|basket|cart|ltv|lifetime|loyalty|value$|visits?|viewed|behaviou?r|lastlogin|customersince|churn|score|segment/i,
    3,
  ],
  [/birth|^dob$|^age$|gender|sex$|income|salary|marital/i, 3],
  [
    /e-?mail|phone|tel$|mobile|first.?name|last.?name|^name$|surname|street|address|post.?code|zip|city|company|username|ip(address)?$|latitude|longitude|location/i,
    2,
  ],
  [
    /(user|customer|crm|device|anonymous|external|session|cookie).?id|^id$|country|language|locale|time.?zone|plan|createdat|topic/i,
    1,
  ],
]

const iban = /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/
/** ISO 13616: the rearranged number modulo 97 is 1. */
function isIban(text: string): boolean {
  const value = text.replace(/\s/g, '').toUpperCase()
  if (!iban.test(value)) return false
  let rest = 0
  for (const letter of value.slice(4) + value.slice(0, 4))
    for (const digit of String(Number.parseInt(letter, 36))) rest = (rest * 10 + Number(digit)) % 97
  return rest === 1
}
/** ISO/IEC 7812: the Luhn check of card numbers. */
function isCard(text: string): boolean {
  const digits = text.replace(/[\s-]/g, '')
  if (!/^\d{13,19}$/.test(digits)) return false
  let sum = 0
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits.charAt(digits.length - 1 - at)) * (at % 2 === 1 ? 2 : 1)
    sum += digit > 9 ? digit - 9 : digit
  }
  return sum % 10 === 0
}

/**
 * How sensitive a field is, from its name and from samples of its values; the stricter of the two. Values are looked at because a field named
 * "note" may hold card numbers.
 */
export function sensitivityOf(name: string, samples: readonly string[] = []): Sensitivity {
  const plain = name.replace(/[_.\s-]/g, '')
  const named = byName.find(([pattern]) => pattern.test(plain))?.[1] ?? 1
  const found = samples.map((sample): Sensitivity =>
    isIban(sample) || isCard(sample) ? 4 : /^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/.test(sample) ? 2 : 0,
  )
  return Math.max(named, ...found) as Sensitivity
}

/** `address.postalCode` as people say it. */
export function labelOf(name: string): string {
  const known: Readonly<Record<string, string>> = {
    firstName: 'first name',
    lastName: 'last name',
    email: 'e-mail',
    timeZone: 'time zone',
    'address.postalCode': 'postcode',
    'address.city': 'city',
    'address.country': 'country',
    'address.street': 'street',
    customerSince: 'customer since',
  }
  return (
    known[name] ??
    name
      .replace(/^.*\./, '')
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .replace(/_/g, ' ')
      .toLowerCase()
  )
}
