import { seededRandom } from '../../lib/seeded/seeded.ts'

/** One record of a person, as a CRM of the years would hold it: with slips, old addresses and gaps. */
export interface PersonRecord {
  id: number
  /** The truth: records of one person have one number. */
  person: number
  givenName: string
  surname: string
  dateOfBirth: string
  email: string
  phone: string
  postcode: string
  city: string
}

const given = (
  'anna,maria,julia,laura,lena,sophie,emma,mia,hannah,lea,sarah,lisa,katharina,christina,nina,eva,clara,elena,paula,martha,ida,olga,ines,helena,monika,petra,sabine,andrea,claudia,susanne,' +
  'peter,thomas,michael,andreas,stefan,christian,martin,daniel,markus,alexander,jan,paul,max,felix,lukas,jonas,leon,tim,david,simon,oliver,patrick,robert,frank,ralf,georg,anton,karl,emil,otto,' +
  'john,james,william,robin,elizabeth,margaret,susan,linda,barbara,patricia,jennifer,charles,joseph,richard,edward,henry,samuel,benjamin,nathan,dylan,zoe,chloe,megan,amy,kate,jane,alice,ruth,rose,ivy'
).split(',')
const starts =
  'ba,be,bo,bra,bre,da,de,do,dra,fa,fe,fi,fro,ga,ge,go,gra,ha,he,ho,hu,ja,jo,ka,ke,ko,kra,la,le,li,lo,ma,me,mi,mo,na,ne,no,pa,pe,po,ra,re,ri,ro,sa,schu,se,sto,ta,te,tho,va,ve,vo,wa,we,wi,wo,za'.split(
    ',',
  )
const middles = 'r,l,n,m,s,ck,ll,nn,rt,lt,nd,st,tz,ch,ff,ss,rg,ld,b,d,g,k,p,t'.split(',')
const ends = 'er,mann,en,el,ing,son,ski,ov,ard,ert,ich,ke,ler,ner,sen,berg,feld,stein,hof,mer'.split(',')
const hosts = 'gmail.com,gmx.example,web.example,outlook.com,yahoo.com,t-mail.example,icloud.com,posteo.example'.split(
  ',',
)
const letters = 'abcdefghijklmnopqrstuvwxyz'

/**
 * So many records of half as many people, in which a record of a person differs from the next by slips of the keyboard, other spellings, moved houses and gaps.
 * The same seed gives the same people.
 */
export function* people(records: number, seed = 1): Generator<PersonRecord> {
  const random = seededRandom(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  /** Few names are frequent and many are rare (Zipf). */
  const skewed = <T>(list: readonly T[]): T => list[Math.floor(list.length * random() ** 2.2)] as T
  const chance = (share: number) => random() < share
  const two = (n: number) => String(n).padStart(2, '0')
  const slip = (text: string): string => {
    if (text.length < 2) return text
    const at = Math.floor(random() * (text.length - 1))
    const what = random()
    const letter = /\d/.test(text[at] ?? '') ? String(Math.floor(random() * 10)) : letters[Math.floor(random() * 26)]
    if (what < 0.3) return text.slice(0, at) + String(letter) + text.slice(at + 1)
    if (what < 0.55) return text.slice(0, at) + text.slice(at + 1)
    if (what < 0.8) return text.slice(0, at) + String(letter) + text.slice(at)
    return text.slice(0, at) + String(text[at + 1]) + String(text[at]) + text.slice(at + 2)
  }
  let id = 0
  let person = 0
  while (id < records) {
    const givenName = skewed(given)
    const surname =
      skewed(starts) + skewed(middles) + (chance(0.4) ? skewed(ends) + (chance(0.2) ? skewed(ends) : '') : skewed(ends))
    const dateOfBirth = `${String(1930 + Math.floor(random() * 76))}-${two(1 + Math.floor(random() * 12))}-${two(1 + Math.floor(random() * 28))}`
    const email = `${chance(0.5) ? `${givenName}.${surname}` : `${givenName[0] ?? ''}${surname}`}${chance(0.6) ? String(Math.floor(random() * 999)) : ''}@${skewed(hosts)}`
    const phone = `+49${String(150 + Math.floor(random() * 30))}${String(Math.floor(random() * 1e8)).padStart(8, '0')}`
    const area = Math.floor(9_000 * random() ** 1.5)
    const postcode = String(10_000 + area * 10 + Math.floor(random() * 10)).slice(0, 5)
    const city = `${starts[area % starts.length] ?? ''}${ends[area % ends.length] ?? ''}dorf`
    const copies = chance(0.45) ? 1 : chance(0.5) ? 2 : chance(0.6) ? 3 : 5
    for (let copy = 0; copy < copies && id < records; copy++) {
      const first = copy === 0
      const moved = !first && chance(0.12)
      const swapped = !first && chance(0.02)
      const said = {
        givenName: !first && chance(0.12) ? slip(givenName) : !first && chance(0.04) ? (givenName[0] ?? '') : givenName,
        surname: !first && chance(0.12) ? slip(surname) : surname,
      }
      yield {
        id,
        person,
        givenName: swapped ? said.surname : said.givenName,
        surname: swapped ? said.givenName : said.surname,
        dateOfBirth: chance(0.12) ? '' : !first && chance(0.08) ? slip(dateOfBirth) : dateOfBirth,
        email: chance(0.3)
          ? ''
          : !first && chance(0.1)
            ? slip(email)
            : !first && chance(0.15)
              ? `${surname}${String(Math.floor(random() * 99))}@${skewed(hosts)}`
              : email,
        phone: chance(0.35)
          ? ''
          : !first && chance(0.2)
            ? `+49${String(150 + Math.floor(random() * 30))}${String(Math.floor(random() * 1e8)).padStart(8, '0')}`
            : phone,
        postcode: chance(0.1) ? '' : moved ? String(10_000 + Math.floor(90_000 * random())).slice(0, 5) : postcode,
        city: chance(0.1)
          ? ''
          : moved
            ? `${pick(starts)}${pick(ends)}dorf`
            : !first && chance(0.06)
              ? slip(city)
              : city,
      }
      id += 1
    }
    person += 1
  }
}
