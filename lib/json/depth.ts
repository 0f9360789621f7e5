/**
 * Whether JSON text nests deeper than `most`, found without parsing it: V8 parses 100,000 levels, and what then walks the value overflows its stack.
 * Brackets inside strings do not count. Linear, one pass, no allocation.
 */
export function isDeeperThan(text: string, most: number): boolean {
  let depth = 0
  let inString = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (inString) {
      if (code === 0x5c) index += 1
      else if (code === 0x22) inString = false
    } else if (code === 0x22) inString = true
    else if (code === 0x5b || code === 0x7b) {
      depth += 1
      if (depth > most) return true
    } else if (code === 0x5d || code === 0x7d) depth -= 1
  }
  return false
}
