import { TemplateFault } from './fault.ts'

/** `{{ … }}` or `{% … %}` when one begins at this place. */
export const opensLiquid = (text: string, at: number) =>
  text.charAt(at) === '{' && (text.charAt(at + 1) === '{' || text.charAt(at + 1) === '%')

/**
 * Where the Liquid that begins at `at` ends. Quoted strings are passed over as the engine does it, so a string that holds `}}` ends nothing.
 * Each letter is looked at once, so a text of n letters costs n.
 * @throws TemplateFault when it never ends
 */
export function endOfLiquid(text: string, at: number): number {
  const end = text.charAt(at + 1) === '{' ? '}}' : '%}'
  let now = at + 2
  while (now < text.length) {
    const letter = text.charAt(now)
    if (letter === '"' || letter === "'") {
      const close = text.indexOf(letter, now + 1)
      if (close < 0) break
      now = close + 1
    } else if (text.startsWith(end, now)) return now + 2
    else now += 1
  }
  throw new TemplateFault(`“${text.slice(at, at + 40)}” is opened and never closed.`)
}

export interface Piece {
  text: string
  liquid: boolean
}

/** A text cut into Liquid and what stands between. @throws TemplateFault when some Liquid never ends */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = []
  let from = 0
  let at = text.indexOf('{')
  while (at >= 0) {
    if (!opensLiquid(text, at)) {
      at = text.indexOf('{', at + 1)
      continue
    }
    const end = endOfLiquid(text, at)
    if (at > from) pieces.push({ text: text.slice(from, at), liquid: false })
    pieces.push({ text: text.slice(at, end), liquid: true })
    from = end
    at = text.indexOf('{', end)
  }
  if (from < text.length) pieces.push({ text: text.slice(from), liquid: false })
  return pieces
}
