import { TemplateFault } from './fault.ts'
import { endOfLiquid, opensLiquid } from './pieces.ts'

export interface Attribute {
  /** In small letters. */
  name: string
  /** As it is written, entities and Liquid included; empty without a value. */
  value: string
  /** Where the attribute stands in the text, from its name to behind its value. */
  from: number
  to: number
}
export interface HtmlTag {
  /** In small letters. */
  name: string
  closing: boolean
  selfClosing: boolean
  attributes: Attribute[]
  /** Within a conditional comment: only some programs read it. */
  inComment: boolean
}

const isLetter = (letter: string) => /^[a-z]$/i.test(letter)
const isSpace = (letter: string) => letter !== '' && ' \t\n\r\f'.includes(letter)

/**
 * The tags of HTML or MJML that may hold Liquid, as HTML's own rules read them (attributes in either quotes or none). Liquid within quotes is passed
 * over whole. Goes forward only: a text of n letters costs n.
 * @throws TemplateFault for a tag or a comment that never ends, and for a value that is put into a tag outside of quotes, where no escaping holds
 */
export function* tagsOf(text: string): Generator<HtmlTag> {
  let at = 0
  let inComment = false
  while (at < text.length) {
    const letter = text.charAt(at)
    if (opensLiquid(text, at)) at = endOfLiquid(text, at)
    else if (inComment && text.startsWith('-->', at)) {
      inComment = false
      at += 3
    } else if (letter !== '<') at += 1
    else if (!inComment && text.startsWith('<!--', at)) {
      const conditional = text.startsWith('<!--[if', at)
      const end = conditional ? text.indexOf(']>', at) : text.indexOf('-->', at + 2)
      if (end < 0) throw new TemplateFault('A comment is opened and never closed.')
      inComment = conditional
      at = end + (conditional ? 2 : 3)
    } else if (opensLiquid(text, at + 1)) throw outsideQuotes(text, at)
    else if (isLetter(text.charAt(at + 1)) || (text.charAt(at + 1) === '/' && isLetter(text.charAt(at + 2)))) {
      const { tag, end } = readTag(text, at)
      yield { ...tag, inComment }
      at = end
    } else at += 1
  }
}

const outsideQuotes = (text: string, at: number) =>
  new TemplateFault(
    `A value is put into a tag outside of quotes: “${text.slice(at, at + 40)}”. Put it between quotes, as in alt="{{ person.firstName }}".`,
  )

function readTag(text: string, from: number): { tag: Omit<HtmlTag, 'inComment'>; end: number } {
  const closing = text.charAt(from + 1) === '/'
  let at = from + (closing ? 2 : 1)
  const word = (stops: string) => {
    const start = at
    while (at < text.length && !isSpace(text.charAt(at)) && !stops.includes(text.charAt(at))) {
      if (opensLiquid(text, at)) {
        if (text.charAt(at + 1) === '%' && at > start && stops.includes('=')) break
        throw outsideQuotes(text, from)
      }
      at += 1
    }
    return text.slice(start, at)
  }
  const spaces = () => {
    while (isSpace(text.charAt(at))) at += 1
  }
  const name = word('/>').toLowerCase()
  const attributes: Attribute[] = []
  let selfClosing = false
  while (at < text.length) {
    const letter = text.charAt(at)
    if (letter === '>') return { tag: { name, closing, selfClosing, attributes }, end: at + 1 }
    if (isSpace(letter) || letter === '/') {
      selfClosing = letter === '/'
      at += 1
    } else if (text.startsWith('{%', at)) at = endOfLiquid(text, at)
    else {
      selfClosing = false
      const begin = at
      // An equals sign at the beginning belongs to the name (HTML, 13.2.5.32).
      if (letter === '=') at += 1
      const key = (letter === '=' ? '=' : '') + word('/>=')
      const behind = at
      spaces()
      if (text.charAt(at) !== '=') {
        attributes.push({ name: key.toLowerCase(), value: '', from: begin, to: behind })
        continue
      }
      at += 1
      spaces()
      const quote = text.charAt(at)
      let value: string
      if (quote === '"' || quote === "'") {
        const start = at + 1
        at = start
        while (at < text.length && text.charAt(at) !== quote)
          at = opensLiquid(text, at) ? endOfLiquid(text, at) : at + 1
        value = text.slice(start, at)
        at += 1
      } else value = word('>')
      attributes.push({ name: key.toLowerCase(), value, from: begin, to: at })
    }
  }
  throw new TemplateFault(`A tag is opened and never closed: “${text.slice(from, from + 40)}”.`)
}

const voids = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '))
const endedByTheNext = new Set('p li td th tr dt dd option'.split(' '))

/**
 * Refuses what is nested so deeply, or made of so many parts, that the programs behind this one would take long or fall over.
 * @throws TemplateFault
 */
export function checkShape(text: string, most: { depth: number; parts: number }): void {
  const open: string[] = []
  let parts = 0
  for (const { name, closing, selfClosing, inComment } of tagsOf(text)) {
    const isPart = name.startsWith('mj')
    if (isPart && !closing) parts += 1
    if (parts > most.parts)
      throw new TemplateFault(`The mail has more than ${most.parts.toLocaleString('en-GB')} MJML parts. Use fewer.`)
    if (inComment || voids.has(name) || (selfClosing && isPart)) continue
    if (closing) {
      const at = open.lastIndexOf(name)
      if (at >= 0) open.length = at
      continue
    }
    if (endedByTheNext.has(name) && open.at(-1) === name) continue
    open.push(name)
    if (open.length > most.depth)
      throw new TemplateFault(
        `The mail is nested more than ${String(most.depth)} levels deep, at <${name}>. Close the tags that are open, or nest less.`,
      )
  }
}
