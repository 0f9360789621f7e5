/** Functions that the models of buying need, in logarithms where the values would overflow. */

/** The logarithm of the gamma function. Source: Lanczos (1964) with the coefficients of Godfrey (g = 7, n = 9); 15 digits for x > 0. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  const z = x - 1
  let sum = lanczos[0]
  for (let at = 1; at < lanczos.length; at++) sum += (lanczos[at] ?? 0) / (z + at)
  const t = z + 7.5
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum)
}
const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const

/** The logarithm of the beta function. */
export const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b)

/**
 * Gauss's hypergeometric function ₂F₁(a, b; c; z) for 0 ≤ z < 1 by its series (Abramowitz and Stegun 15.1.1); near 1 after the transformation of Euler
 * (15.3.3), which makes it converge where c − a or c − b is smaller.
 */
export function hypergeometric(a: number, b: number, c: number, z: number): number {
  if (z > 0.5 && Math.abs((c - a) * (c - b)) < Math.abs(a * b))
    return (1 - z) ** (c - a - b) * series(c - a, c - b, c, z)
  return series(a, b, c, z)
}

function series(a: number, b: number, c: number, z: number): number {
  let term = 1
  let sum = 1
  for (let n = 0; n < mostTerms; n++) {
    term *= (((a + n) * (b + n)) / ((c + n) * (n + 1))) * z
    sum += term
    if (Math.abs(term) < Math.abs(sum) * 1e-13) break
  }
  return sum
}
const mostTerms = 20_000

/**
 * The least of a function of several variables, without its derivatives. Source: Nelder and Mead (1965), “A simplex method for function minimization”, with
 * their coefficients; started again from what was found, once, because a simplex can shrink in the wrong place.
 */
export function least(of: (at: readonly number[]) => number, from: readonly number[]): { at: number[]; value: number } {
  const first = simplex(of, from, 0.5)
  return simplex(of, first.at, 0.1)
}

function simplex(of: (at: readonly number[]) => number, from: readonly number[], step: number) {
  const points = [from, ...from.map((_, axis) => from.map((value, at) => (at === axis ? value + step : value)))].map(
    (at) => ({ at: [...at], value: of(at) }),
  )
  const size = from.length
  for (let round = 0; round < 500 * size; round++) {
    points.sort((one, other) => one.value - other.value)
    const [best, second, worst] = [points[0], points[size - 1], points[size]]
    if (best === undefined || second === undefined || worst === undefined) break
    if (Math.abs(worst.value - best.value) < 1e-10 * (Math.abs(best.value) + 1e-10)) break
    const centre = from.map(
      (_, axis) => points.slice(0, size).reduce((sum, point) => sum + (point.at[axis] ?? 0), 0) / size,
    )
    const along = (times: number) => {
      const at = centre.map((value, axis) => value + times * ((worst.at[axis] ?? 0) - value))
      return { at, value: of(at) }
    }
    const reflected = along(-1)
    if (reflected.value < best.value) {
      const further = along(-2)
      points[size] = further.value < reflected.value ? further : reflected
    } else if (reflected.value < second.value) points[size] = reflected
    else {
      const nearer = along(reflected.value < worst.value ? -0.5 : 0.5)
      if (nearer.value < Math.min(worst.value, reflected.value)) points[size] = nearer
      else
        for (let at = 1; at <= size; at++) {
          const point = points[at]
          if (point === undefined) continue
          point.at = point.at.map((value, axis) => (best.at[axis] ?? 0) + 0.5 * (value - (best.at[axis] ?? 0)))
          point.value = of(point.at)
        }
    }
  }
  points.sort((one, other) => one.value - other.value)
  return { at: [...(points[0]?.at ?? from)], value: points[0]?.value ?? Number.NaN }
}
