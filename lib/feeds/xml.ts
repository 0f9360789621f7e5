import { XMLParser } from 'fast-xml-parser'
import { characters, notAFeed } from './items.ts'

/** One of these alone is longer than any article. */
const longestItem = 2 * 1024 * 1024
const deepest = 60

/** No entity is ever expanded: the parser is told to leave them, and `characters` knows only those that XML itself has. */
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#',
  cdataPropName: '#cdata',
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  trimValues: false,
  alwaysCreateTextNode: true,
})

export type Node = Record<string, unknown>

const isObject = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value)

/** All elements of a name within one. */
export function all(node: unknown, name: string): Node[] {
  if (!isObject(node) || !Object.hasOwn(node, name)) return []
  const value = node[name]
  return (Array.isArray(value) ? value : [value]).map((one): Node => (isObject(one) ? one : { '#': one }))
}
/** The text of an element; of a CDATA section as it stands. */
export function textOf(node: unknown): string {
  if (typeof node === 'string') return characters(node)
  if (!isObject(node)) return ''
  const plain = typeof node['#'] === 'string' ? characters(node['#']) : ''
  const sections = Array.isArray(node['#cdata']) ? node['#cdata'] : [node['#cdata']]
  const raw = sections
    .map((one) => (typeof one === 'string' ? one : isObject(one) && typeof one['#'] === 'string' ? one['#'] : ''))
    .join('')
  return `${plain}${raw}`.trim()
}
/** The text of the first element of one of these names that has any. */
export function first(node: unknown, ...names: string[]): string | null {
  for (const name of names)
    for (const one of all(node, name)) {
      const text = textOf(one)
      if (text !== '') return text
    }
  return null
}
export const attribute = (node: Node, name: string): string | null => {
  const value = node[`@${name}`]
  return typeof value === 'string' ? characters(value) : null
}

/**
 * The document without its items, and each item as text, found in one pass without a tree of the whole: an export of many megabytes is then read item by
 * item. What stands in CDATA sections and comments is passed over.
 * @throws Refusal bad_input for a document that declares entities, or an item beyond 2 MiB
 */
export function split(text: string, name: 'item' | 'entry'): { outer: string; items: string[] } {
  const marks = new RegExp(`<!\\[CDATA\\[|<!--|<!ENTITY|<${name}(?=[\\s/>])|</${name}\\s*>`, 'g')
  const items: string[] = []
  let outer = ''
  let from = 0
  let begin = -1
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    const [word] = mark
    if (word === '<!ENTITY') throw notAFeed('It declares entities of its own, which no feed needs and an attack does.')
    if (word === '<![CDATA[' || word === '<!--') {
      const end = text.indexOf(word === '<!--' ? '-->' : ']]>', mark.index)
      if (end === -1) throw notAFeed('It is cut: a section of it never ends.')
      marks.lastIndex = end + 3
    } else if (word.startsWith('</')) {
      if (begin === -1) continue
      const end = mark.index + word.length
      if (end - begin > longestItem) throw notAFeed('One of its items is larger than 2 MiB.')
      items.push(text.slice(begin, end))
      from = end
      begin = -1
    } else if (begin === -1) {
      outer += text.slice(from, mark.index)
      begin = mark.index
    }
  }
  if (begin !== -1) throw notAFeed('It is cut: its last item never ends.')
  return { outer: outer + text.slice(from), items }
}

/** @throws Refusal bad_input for what is no XML */
export function parse(text: string, depth = deepest): Node {
  let level = 0
  for (const [tag] of text.matchAll(/<!\[CDATA\[[\s\S]*?\]\]>|<!--[\s\S]*?-->|<\/?[A-Za-z][^<>]*>/g)) {
    if (tag.startsWith('<!') || tag.endsWith('/>')) continue
    level += tag.startsWith('</') ? -1 : 1
    if (level > depth) throw notAFeed(`It is nested more than ${depth} levels deep.`)
  }
  try {
    const value: unknown = parser.parse(text)
    if (isObject(value)) return value
  } catch (error) {
    throw notAFeed(`It is no well-formed XML: ${error instanceof Error ? error.message.slice(0, 200) : ''}`)
  }
  throw notAFeed('It is no XML.')
}
