import { least, logGamma } from './special.ts'

/** What the purchases of a customer were worth. */
export interface Spending {
  /** Purchases that the mean is of; 1 or more. */
  purchases: number
  /** Mean value of a purchase, above 0. */
  mean: number
}

/**
 * The model of how much is spent: values of one customer's purchases vary about a mean of their own (gamma p, ν), and ν over all customers is gamma (q, γ).
 * Source: Fader and Hardie (2013), “The Gamma-Gamma Model of Monetary Value”.
 */
export interface GammaGamma {
  p: number
  q: number
  gamma: number
}

/** Fits the model by maximum likelihood (equation 1a). @returns undefined for fewer than two customers */
export function fitGammaGamma(customers: readonly Spending[]): GammaGamma | undefined {
  const all = customers.filter(({ purchases, mean }) => purchases > 0 && mean > 0)
  if (all.length < 2) return undefined
  const scale = all.reduce((sum, { mean }) => sum + mean, 0) / all.length
  const modelOf = (at: readonly number[]): GammaGamma => ({
    p: Math.exp(at[0] ?? 0),
    q: Math.exp(at[1] ?? 0),
    gamma: Math.exp(at[2] ?? 0) * scale,
  })
  const { at } = least(
    (at) => {
      const { p, q, gamma } = modelOf(at)
      const [ofQ, logGammaShape] = [logGamma(q), Math.log(gamma)]
      let loss = 0
      for (const { purchases: x, mean } of all)
        loss -=
          logGamma(p * x + q) -
          logGamma(p * x) -
          ofQ +
          q * logGammaShape +
          (p * x - 1) * Math.log(mean) +
          p * x * Math.log(x) -
          (p * x + q) * Math.log(gamma + x * mean)
      return Number.isFinite(loss) && at.every((value) => Math.abs(value) < 12) ? loss / all.length : 1e12
    },
    [1, 1, 0],
  )
  return modelOf(at)
}

/** The mean value of purchases to come: between the customer's own and that of all, the nearer to their own the more they bought (equation 5). */
export function expectedValue({ p, q, gamma }: GammaGamma, { purchases: x, mean }: Spending): number {
  return (p * (gamma + x * mean)) / (p * x + q - 1)
}
