import { crc32 } from 'node:zlib'

/** A line of a segment: CRC-32 of the JSON in 8 hexadecimal digits, a space, the JSON, a line feed (which JSON never has). */
export function lineOf(json: string): Buffer {
  return Buffer.from(`${sumOf(json)} ${json}\n`)
}

export interface Line {
  /** With the line feed. */
  bytes: number
  /** Undefined when it is not what was written. */
  json: string | undefined
}

const lineFeed = 0x0a
const sumOf = (bytes: string | Uint8Array) => crc32(bytes).toString(16).padStart(8, '0')

/** The lines that are whole; what comes after the last line feed is none. */
export function linesOf(bytes: Buffer): Line[] {
  const lines: Line[] = []
  for (let from = 0; ;) {
    const end = bytes.indexOf(lineFeed, from)
    if (end < 0) return lines
    lines.push({ bytes: end + 1 - from, json: jsonOf(bytes.subarray(from, end)) })
    from = end + 1
  }
}

/** Where the last line ends that is what was written; after it is what a crash left. */
export function lastWholeLine(bytes: Buffer): number {
  let end = bytes.lastIndexOf(lineFeed)
  while (end >= 0) {
    const begin = end === 0 ? 0 : bytes.lastIndexOf(lineFeed, end - 1) + 1
    if (jsonOf(bytes.subarray(begin, end)) !== undefined) return end + 1
    end = begin - 1
  }
  return 0
}

function jsonOf(line: Buffer): string | undefined {
  const json = line.subarray(9)
  return line.length > 9 && line[8] === 0x20 && line.toString('latin1', 0, 8) === sumOf(json)
    ? json.toString()
    : undefined
}
