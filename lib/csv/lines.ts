/** A line of a file; of one that is too long only its beginning is kept. */
export interface Line {
  text: string
  tooLong: boolean
}

/** A line beyond this many characters is no row of a table; it is let go by and named, so that a file without line ends costs no memory. */
export const longestLine = 1_048_576

/** Cuts text into lines as it arrives, whichever of the three line ends it has. */
export function createLineReader() {
  /** The line that is not complete yet, in the pieces in which it came: putting them together each time would cost the square of its length. */
  let open: string[] = []
  let openLength = 0
  /** A carriage return at the very end may be half of a line end. */
  let half = ''

  function add(piece: string): void {
    openLength += piece.length
    if (openLength <= longestLine) open.push(piece)
    else open = [`${open.join('')}${piece}`.slice(0, 200)]
  }
  function close(): Line {
    const closed = { text: open.join(''), tooLong: openLength > longestLine }
    open = []
    openLength = 0
    return closed
  }
  return {
    /** @returns the lines that are complete */
    push(text: string): Line[] {
      const all = half + text
      half = all.endsWith('\r') ? '\r' : ''
      const whole = all.slice(0, all.length - half.length)
      const [first = '', ...others] = whole.includes('\r') ? whole.split(/\r\n|\n|\r/) : whole.split('\n')
      add(first)
      const lines: Line[] = []
      for (const other of others) {
        lines.push(close())
        add(other)
      }
      return lines
    },
    /** @returns what is still open at the end of the file, unless it is blank */
    end(): Line[] {
      half = ''
      const rest = close()
      return rest.tooLong || rest.text.trim() !== '' ? [rest] : []
    },
  }
}
