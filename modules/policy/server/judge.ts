import {
  smallCompany,
  type Facts,
  type Field,
  type KeyKind,
  type Lane,
  type Level,
  type Scales,
  type Verdict,
  type Way,
} from '../contract.ts'

/**
 * From facts to a verdict: four scales, a lane, keys. Pure; it knows no campaign and no tool.
 * The lanes follow the practice of risk-tiered change control (ITIL 4 standard and normal change with delegated authority; NIST SP 800-53
 * AC-3(2) dual authorisation, AC-5 separation of duties); the formula is ours and is monotonic: raising a scale never lowers the lane.
 */

export type Levels = Record<keyof Scales, Level>

const rank: Record<Lane, number> = { green: 0, amber: 1, red: 2, emergency: 3 }
const keysOf: Record<Exclude<Lane, 'emergency'>, KeyKind[]> = {
  green: [],
  amber: ['marketing', 'it'],
  red: ['marketing', 'it', 'protection'],
}
const promise: Record<Lane, number> = { green: 0, amber: 2, red: 10, emergency: 0 }

/** The lane of four levels, and the rule that said so. */
export function laneOf({ sensitivity: s, reach: r, irreversibility: v, integration: i }: Levels): {
  lane: Exclude<Lane, 'emergency'>
  rule: string
} {
  if (s === 4) return { lane: 'red', rule: 'red: special category, children, payment or credentials' }
  if (i === 4) return { lane: 'red', rule: 'red: reaches administration, sign-in, checkout or a production database' }
  if (s === 3 && (i >= 3 || v >= 3 || r === 4))
    return {
      lane: 'red',
      rule: 'red: contact data joined with behaviour, and it leaves, writes back or reaches more than half',
    }
  if (s === 2 && v === 4) return { lane: 'red', rule: 'red: contact data, and it cannot be undone' }
  if (s + r + v + i >= 12) return { lane: 'red', rule: 'red: the sum of the scales is 12 or more' }
  if (s <= 1 && v <= 1 && i <= 1 && (r <= 2 || s === 0))
    return { lane: 'green', rule: 'green: no contact data, undone within a day, no deep integration' }
  return { lane: 'amber', rule: 'amber: neither green nor red' }
}

/** The four scales of a change, each with the fact that put it there. */
export function scalesOf(facts: Facts): Scales {
  const most = facts.fields.reduce<Field | undefined>(
    (worst, field) => (worst === undefined || field.sensitivity > worst.sensitivity ? field : worst),
    undefined,
  )
  return {
    sensitivity:
      most === undefined
        ? { level: 0, because: 'it uses no personal field' }
        : { level: most.sensitivity, because: sensitivityWords(facts.fields, most.sensitivity) },
    reach: reachOf(facts.audience),
    irreversibility: facts.irreversibility,
    integration: facts.integration,
  }
}

/** At most 25 people are a seed list; then 1% or 1,000, 10%, 50%, more. */
function reachOf(audience: Facts['audience']): Scales['reach'] {
  if (audience === undefined || audience.people === 0) return { level: 0, because: 'it reaches nobody' }
  const { of } = audience
  const words = `it reaches ${folk(audience.people)}, ${percent(of === 0 ? 1 : audience.people / of)} of all`
  const people = Math.max(audience.people, audience.atMost ?? 0)
  const share = of === 0 ? 1 : people / of
  if (people <= 25) return { level: 0, because: `it reaches ${folk(audience.people)}, a seed list` }
  if (share <= 0.01 || people <= 1_000) return { level: 1, because: words }
  if (share <= 0.1) return { level: 2, because: words }
  if (share <= 0.5) return { level: 3, because: words }
  return { level: 4, because: words }
}

function sensitivityWords(fields: readonly Field[], level: Level): string {
  const labels = fields.filter((field) => field.sensitivity === level).map((field) => field.label)
  const list =
    labels.length > 3 ? `${labels.slice(0, 3).join(', ')} and ${String(labels.length - 3)} more` : labels.join(', ')
  const kinds: Record<Level, string> = {
    0: 'nothing personal',
    1: 'pseudonymous data',
    2: 'contact data',
    3: 'purchase or behaviour data joined with contact data',
    4: 'specially protected data',
  }
  return `it uses ${kinds[level]} (${list})`
}

/** The verdict on facts. */
export function judge(facts: Facts): Verdict {
  const scales = scalesOf(facts)
  const { lane, rule } = laneOf(levelsOf(scales))
  const small = facts.staff < smallCompany && lane !== 'green'
  const keys = small ? smallKeys(facts, lane) : keysOf[lane]
  return {
    lane,
    scales,
    keys,
    coolingOffHours: small ? 24 : 0,
    rule,
    because: sentence(lane, scales, facts, small),
    promiseWorkingDays: promise[lane],
    ways: lane === 'green' ? [] : waysDown(facts, lane),
  }
}

/** One of the two sides, the one that has somebody who may; data protection is never left out. */
function smallKeys(facts: Facts, lane: Exclude<Lane, 'emergency'>): KeyKind[] {
  return [facts.otherSide ?? 'marketing', ...keysOf[lane].filter((kind) => kind === 'protection')]
}

const levelsOf = (scales: Scales): Levels => ({
  sensitivity: scales.sensitivity.level,
  reach: scales.reach.level,
  irreversibility: scales.irreversibility.level,
  integration: scales.integration.level,
})

function sentence(lane: Lane, scales: Scales, facts: Facts, small: boolean): string {
  if (lane === 'green')
    return `Green: ${scales.sensitivity.because}, ${scales.reach.because}, and ${scales.irreversibility.because}.`
  // The reasons that count are those whose scale, taken down to nothing, would change the lane; else the highest.
  const levels = levelsOf(scales)
  const named = (Object.keys(levels) as (keyof Levels)[]).filter(
    (scale) => levels[scale] > 0 && rank[laneOf({ ...levels, [scale]: 0 }).lane] < rank[lane],
  )
  const highest = (Object.keys(levels) as (keyof Levels)[]).sort((a, b) => levels[b] - levels[a]).slice(0, 2)
  const reasons = (named.length > 0 ? named : highest).map((scale) => scales[scale].because)
  const first = facts.firstUse.length > 0 ? ` It is the first use of ${facts.firstUse.join(' and ')}.` : ''
  const who = small
    ? `${lane === 'red' ? 'one key of either side, the key of data protection' : 'one key'} and a day to cool off, because fewer than four people work here`
    : lane === 'amber'
      ? 'a key from Marketing and a key from IT'
      : 'a key from Marketing, a key from IT and a key from data protection'
  return `It needs ${who}: ${joinWords(reasons)}.${first}`
}

/** Changes that would come down a lane, cheapest first: leaving out fields, one sensitivity at a time; then a smaller audience. Each is judged again. */
function waysDown(facts: Facts, lane: Lane): Way[] {
  const ways: Way[] = []
  const levels = [...new Set(facts.fields.map((field) => field.sensitivity))].sort((a, b) => b - a)
  for (const level of levels.slice(0, 3)) {
    const leaving = facts.fields.filter((field) => field.sensitivity >= level && field.sensitivity > 0)
    // An address to write to cannot be left out of a message.
    if (leaving.length === 0 || leaving.some((field) => field.name === 'email')) continue
    const without = { ...facts, fields: facts.fields.filter((field) => !leaving.includes(field)) }
    const next = laneOf(levelsOf(scalesOf(without))).lane
    if (rank[next] >= rank[lane]) continue
    ways.push({
      say: `Leave out ${joinWords(leaving.map((field) => `“${field.label}”`))} and it turns ${next}.`,
      lane: next,
      leaveOut: leaving.map((field) => field.name),
    })
    break
  }
  const { audience } = facts
  if (audience !== undefined) {
    for (const atMost of [
      Math.floor(audience.of * 0.5),
      Math.floor(audience.of * 0.1),
      Math.max(1_000, Math.floor(audience.of * 0.01)),
      25,
    ]) {
      if (atMost >= Math.max(audience.people, audience.atMost ?? 0) || atMost < 1) continue
      const next = laneOf(levelsOf(scalesOf({ ...facts, audience: { people: atMost, of: audience.of } }))).lane
      if (rank[next] >= rank[lane]) continue
      ways.push({ say: `Send to at most ${folk(atMost)} and it turns ${next}.`, lane: next, atMost })
      break
    }
  }
  return ways
}

function joinWords(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`
}
const folk = (people: number) => `${count(people)} ${people === 1 ? 'person' : 'people'}`
function count(value: number): string {
  return value.toLocaleString('en-GB')
}
function percent(share: number): string {
  return share < 0.01 ? 'under 1%' : `${String(Math.round(share * 100))}%`
}
