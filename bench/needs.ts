import { readFileSync } from 'node:fs'
import { Misuse } from '../apps/server/commands/command.ts'
import { expectedPurchases, fitBgNbd, probabilityOfBuying, type BgNbd, type Buying } from '../lib/value/bg-nbd.ts'
import { calibrationOf } from '../lib/value/calibration.ts'
import { fitGammaGamma } from '../lib/value/gamma-gamma.ts'
import { hitRateOf } from '../lib/value/affinity.ts'
import { drawBaskets } from './needs/baskets.ts'
import { drawCustomers } from './needs/customers.ts'

/**
 * `npx interlock bench needs [cdnow=FILE]`: whether the models of what a customer will be worth find the parameters that data was drawn from, and how well the
 * probability of buying again keeps what it promises on time that they did not see. With the summary of the CDNOW customers (columns `x`, `t_x`, `T`, `zbar`, as
 * several public packages carry it), the published parameters too.
 */
export const name = 'needs'

const known: BgNbd = { r: 0.6, alpha: 5, a: 0.9, b: 2.5 }
/** Weeks that the models see, and weeks that they are asked about. */
const [seen, asked] = [60, 39]

export function run(words: readonly string[] = []) {
  const file = words.find((word) => word.startsWith('cdnow='))?.slice('cdnow='.length)
  if (words.length > (file === undefined ? 0 : 1)) throw new Misuse('Say: bench needs [cdnow=FILE]')
  const customers = drawCustomers(known, 20_000, seen, asked, 1)
  const began = performance.now()
  const found = fitBgNbd(customers)
  const seconds = (performance.now() - began) / 1_000
  if (found === undefined) throw new Error('nothing was found in data that has everything')
  const said = customers.map((one) => probabilityOfBuying(found, one, asked))
  const { brier, brierOfShare, error } = calibrationOf(
    said,
    customers.map((one) => (one.later > 0 ? 1 : 0)),
  )
  const expected = customers.reduce((sum, one) => sum + expectedPurchases(found, one, asked), 0)
  const came = customers.reduce((sum, one) => sum + one.later, 0)
  const hits = hitRateOf(drawBaskets(20_000, 40, 60, 1))
  const figures: Record<string, number> = {
    customers: customers.length,
    fit_seconds: round(seconds),
    ...Object.fromEntries(
      Object.entries(known).map(([key, value]) => [
        `${key}_off_percent`,
        round((found[key as keyof BgNbd] / value - 1) * 100),
      ]),
    ),
    purchases_expected: Math.round(expected),
    purchases_that_came: came,
    buying_brier: round(brier, 4),
    buying_brier_of_share: round(brierOfShare, 4),
    buying_calibration_error: round(error, 4),
    affinity_hit_rate_at_10: round(hits.affinity, 4),
    popularity_hit_rate_at_10: round(hits.popularity, 4),
  }
  if (file !== undefined) Object.assign(figures, cdnow(file))
  return Promise.resolve({
    figures,
    notes: [
      `Customers drawn from a BG/NBD model with r ${String(known.r)}, α ${String(known.alpha)}, a ${String(known.a)}, b ${String(known.b)}; …_off_percent is how far the fitted parameter is from it. ${String(seen)} weeks were seen, ${String(asked)} weeks asked about.`,
      'buying_…: the probability that a customer buys in the weeks asked about, against what came; _of_share is what saying the share of all to everybody would give; the error is the mean distance in the reliability curve.',
      'affinity_…: of 20,000 people who like two of 40 tastes of 60 items each, the share whose last item, held back, is among ten that are offered; popularity_… offers the ten that most people had.',
      file === undefined
        ? 'The CDNOW customers were not looked at: say cdnow=FILE.'
        : 'Published for CDNOW: r .2426, α 4.4136, a .7929, b 2.4259 (Fader, Hardie and Lee 2005); p 6.25, q 3.74, γ 15.44 (Fader and Hardie 2013).',
    ],
  })
}

function cdnow(file: string): Record<string, number> {
  const [header = '', ...lines] = readFileSync(file, 'utf8').trim().split('\n')
  const names = header.trim().split(',')
  const rows = lines.map((line) => line.split(',').map(Number))
  const cell = (row: number[], column: string) => row[names.indexOf(column)] ?? Number.NaN
  const buying = rows.map((row): Buying => ({
    repeats: cell(row, 'x'),
    recency: cell(row, 't_x'),
    age: cell(row, 'T'),
  }))
  const spent = rows.flatMap((row) =>
    cell(row, 'x') > 0 ? [{ purchases: cell(row, 'x'), mean: cell(row, 'zbar') }] : [],
  )
  const [bought, worth] = [fitBgNbd(buying), fitGammaGamma(spent)]
  return Object.fromEntries(
    [...Object.entries(bought ?? {}), ...Object.entries(worth ?? {})].map(([key, value]) => [
      `cdnow_${key}`,
      round(value as number, 4),
    ]),
  )
}

const round = (value: number, digits = 2) => Number(value.toFixed(digits))
