import { Liquid, type Template as Node } from 'liquidjs'

/** The template language, fenced in: no file, no include, no own filters of users, limits on length, time and memory. */

const forbiddenTags = ['include', 'render', 'layout', 'block']

function fenced(outputEscape: 'escape' | ((value: unknown) => string)): Liquid {
  const engine = new Liquid({
    strictFilters: true,
    strictVariables: false,
    ownPropertyOnly: true,
    outputEscape,
    parseLimit: 600_000,
    renderLimit: 200,
    memoryLimit: 4_000_000,
    dynamicPartials: false,
    relativeReference: false,
    fs: {
      exists: () => Promise.resolve(false),
      existsSync: () => false,
      readFile: () => Promise.reject(new Error('no files')),
      readFileSync: () => {
        throw new Error('no files')
      },
      resolve: (_root, file) => file,
    },
  })
  for (const tag of forbiddenTags) delete engine.tags[tag]
  // Unescaped output is the one hole that escaping leaves.
  delete engine.filters['raw']
  // An address for a link: http(s), mailto or tel; anything else (javascript:, data:) becomes `#`.
  engine.registerFilter('safe_url', (value: unknown) => {
    const text = textOf(value).replace(/[\u0000-\u0020\u007f]/g, '')
    return /^(https?:\/\/|mailto:|tel:|\/|#)/i.test(text) ? text : '#'
  })
  return engine
}

/** What a value looks like in a mail; a list or an object that was put in whole is a mistake of the template and shows as nothing. */
function textOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : ''
}

const engine = fenced('escape')
const plain = fenced(textOf)

/** Text that was parsed once. */
export type Parsed = Node[]

/** @param as `html` escapes what it puts in, `text` does not @throws an Error with line and column in its message */
export function parseLiquid(text: string, as: 'html' | 'text'): Parsed {
  return (as === 'html' ? engine : plain).parse(text)
}

export function renderLiquid(parsed: Parsed, values: object, as: 'html' | 'text'): string {
  return String((as === 'html' ? engine : plain).renderSync(parsed, values))
}

/** The paths under `person` that templates read: `firstName`, `address.city`. */
export function fieldsRead(...parsed: Parsed[]): string[] {
  const fields = new Set<string>()
  for (const nodes of parsed) {
    for (const path of engine.globalVariableSegmentsSync(nodes)) {
      const names = path.map(String)
      if (names[0] === 'person' && names[1] !== undefined) fields.add(names.slice(1).join('.'))
    }
  }
  return [...fields].sort()
}
