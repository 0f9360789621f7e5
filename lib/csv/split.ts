/**
 * Splits a record that is quoted by the book (RFC 4180): a field is quoted wholly, with its quotes doubled, or has no quote at all.
 * Ten times as fast as a parser that also mends, and most files need no more.
 * @returns undefined for anything that is not by the book
 */
export function splitByTheBook(text: string, delimiter: string): string[] | undefined {
  const cells: string[] = []
  let at = 0
  for (;;) {
    if (text.charCodeAt(at) === 0x22) {
      let from = at + 1
      let cell = ''
      for (;;) {
        const quote = text.indexOf('"', from)
        if (quote === -1) return undefined
        cell += text.slice(from, quote)
        at = quote + 1
        if (text.charCodeAt(at) !== 0x22) break
        cell += '"'
        from = at + 1
      }
      cells.push(cell)
      if (at === text.length) return cells
      if (!text.startsWith(delimiter, at)) return undefined
      at += delimiter.length
    } else {
      const next = text.indexOf(delimiter, at)
      const cell = next === -1 ? text.slice(at) : text.slice(at, next)
      if (cell.includes('"') || cell.includes('\n')) return undefined
      cells.push(cell)
      if (next === -1) return cells
      at = next + delimiter.length
    }
  }
}
