import {
  Liquid,
  Tag,
  TypeGuards,
  type Context,
  type Emitter,
  type Parser,
  type TagToken,
  type Template as Node,
  type TopLevelToken,
} from 'liquidjs'
import { decodeHtml, escapeHtml } from './entities.ts'

/** The template language, fenced in: no file, no include, no own filters of users, limits on length, time and memory. */

/** `liquid` and `raw` hide tags from piecesOf; the others read files. */
const forbiddenTags = ['include', 'render', 'layout', 'block', 'liquid', 'raw']
/** `raw` puts out without escaping; the others run words of a template as an expression, past what fields.ts reads. */
const forbiddenFilters = ['raw', 'where_exp', 'reject_exp', 'group_by_exp', 'has_exp', 'find_exp', 'find_index_exp']

/** Gives the address under which the link with this number is counted. */
export type Track = (href: string, number: number) => string
/** By the values of one mail, because tags see nothing else that is not a value. */
const trackers = new WeakMap<object, Track>()

/** What a value looks like in a mail; a list or an object that was put in whole is a mistake of the template and shows as nothing. */
function textOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : ''
}

function fenced(as: 'html' | 'text'): Liquid {
  const engine = new Liquid({
    strictFilters: true,
    strictVariables: false,
    ownPropertyOnly: true,
    outputEscape: as === 'html' ? (value: unknown) => escapeHtml(textOf(value)) : textOf,
    parseLimit: 1_200_000,
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
  for (const filter of forbiddenFilters) delete engine.filters[filter]
  // An address for a link: http(s), mailto or tel; anything else (javascript:, data:) becomes `#`.
  engine.registerFilter('safe_url', (value: unknown) => {
    const text = textOf(value).replace(/[\u0000-\u0020\u007f]/g, '')
    return /^(https?:\/\/|mailto:|tel:|\/|#)/i.test(text) ? text : '#'
  })
  /** Put in by addresses.ts around the address of a link that is counted; compile.ts refuses it from anybody else. */
  engine.registerTag(
    'tracked',
    class extends TrackedLink {
      protected override addressOf(href: string, track: Track): string {
        return as === 'html' ? escapeHtml(track(decodeHtml(href), this.number)) : track(href, this.number)
      }
    },
  )
  return engine
}

abstract class TrackedLink extends Tag {
  protected readonly number: number
  private readonly inner: Node[] = []
  constructor(token: TagToken, rest: TopLevelToken[], liquid: Liquid, parser: Parser) {
    super(token, rest, liquid)
    this.number = Number(token.args)
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
      if (TypeGuards.isTagToken(next) && next.name === 'endtracked') return
      this.inner.push(parser.parseToken(next, rest))
    }
    throw new Error('what is opened in an address is not closed in it')
  }
  protected abstract addressOf(href: string, track: Track): string
  override *render(context: Context, emitter: Emitter): Generator<unknown, void, unknown> {
    const href = String(yield this.liquid.renderer.renderTemplates(this.inner, context))
    const track = trackers.get(context.environments)
    emitter.write(track === undefined ? href : this.addressOf(href, track))
  }
  *children(): Generator<unknown, Node[]> {
    // The engine wants a generator, for tags that fetch other files first.
    yield* []
    return this.inner
  }
}

const engines = { html: fenced('html'), text: fenced('text') }

/** Text that was parsed once. */
export type Parsed = Node[]

/** @param as `html` escapes what it puts in, `text` does not @throws an Error with line and column in its message */
export function parseLiquid(text: string, as: 'html' | 'text'): Parsed {
  return engines[as].parse(text)
}

/** @param values of this one mail; nothing else is in reach of the template */
export function renderLiquid(parsed: Parsed, values: object, as: 'html' | 'text', track?: Track): string {
  if (track !== undefined) trackers.set(values, track)
  return String(engines[as].renderSync(parsed, values))
}
