import { decodeHtml } from './entities.ts'
import { TemplateFault } from './fault.ts'
import { piecesOf } from './pieces.ts'
import { tagsOf } from './tags.ts'

/** Attributes that lead somewhere or load something. */
const addressAttributes = new Set('href src srcset background poster action formaction xlink:href data'.split(' '))
const linking = new Set(['a', 'area'])
const harmless = new Set(['http', 'https', 'mailto', 'tel', 'sms', 'cid'])

/** The one address that lists and the footer use; exactly this, with nothing done to it. */
const isWayOut = (value: string) => /^\s*\{\{-?\s*unsubscribe\s*-?\}\}\s*$/.test(value)

export interface Settled {
  html: string
  /** Links that are counted, as the template has them; `{% tracked N %}` in the HTML is the Nth. */
  links: string[]
  /** Whether some link is the unsubscribe link. */
  hasWayOut: boolean
}

/**
 * Decides about every address of a page, once, so that nothing has to be found again in a finished mail, where the template's words and people's
 * values cannot be told apart:
 * - a link to a web address whose host the template fixes is counted: it becomes `{% tracked N %}…{% endtracked %}`;
 * - an address that is a person's value from its beginning goes through `safe_url` and is never counted, so that nobody's value gets our signature;
 * - an address whose scheme or host is put together from words and values is refused.
 * @throws TemplateFault
 */
export function settleAddresses(html: string): Settled {
  const links = new Map<string, number>()
  const out: string[] = []
  let hasWayOut = false
  let from = 0
  for (const tag of tagsOf(html)) {
    for (const attribute of tag.attributes) {
      if (!addressAttributes.has(attribute.name) || attribute.value.trim() === '') continue
      let value: string
      if (isWayOut(attribute.value)) {
        if (tag.inComment)
          throw new TemplateFault('The unsubscribe link stands in a comment, where few see it. Put it into the mail.')
        hasWayOut ||= linking.has(tag.name) && attribute.name === 'href'
        value = '{{ unsubscribe }}'
      } else {
        const { written, plain, counted } = settle(attribute.value)
        if (counted && linking.has(tag.name) && attribute.name === 'href') {
          const number = links.get(plain) ?? links.size
          links.set(plain, number)
          value = `{% tracked ${String(number)} %}${written}{% endtracked %}`
        } else value = written
      }
      out.push(html.slice(from, attribute.from), `${attribute.name}="${value}"`)
      from = attribute.to
    }
  }
  out.push(html.slice(from))
  return { html: out.join(''), links: [...links.keys()], hasWayOut }
}

/** One address. `written` stands between double quotes; `plain` is how people read it. */
function settle(value: string): { written: string; plain: string; counted: boolean } {
  const pieces = piecesOf(value.trim()).map((piece) =>
    // Liquid runs before anybody reads HTML, so it must not be written in HTML's entities.
    piece.liquid ? { ...piece, text: decodeHtml(piece.text) } : piece,
  )
  const plain = pieces.map((piece) => (piece.liquid ? piece.text : decodeHtml(piece.text))).join('')
  const first = pieces[0]
  const written = (all: typeof pieces) =>
    all.map((piece) => (piece.liquid ? piece.text : piece.text.replaceAll('"', '&quot;'))).join('')
  if (first?.liquid === true) {
    if (!first.text.startsWith('{{'))
      throw new TemplateFault(
        `The address “${plain.slice(0, 80)}” begins with a condition. Put the whole link into the condition, once for each case.`,
      )
    const inner = first.text.replace(/^\{\{-?/, '').replace(/-?\}\}$/, '')
    return {
      written: written([{ text: `{{${inner.trimEnd()} | safe_url }}`, liquid: true }, ...pieces.slice(1)]),
      plain,
      counted: false,
    }
  }
  // Programs that read mail overlook spaces and control characters here.
  const head = decodeHtml(first?.text ?? '').replace(/[\u0000-\u0020\u007f]/g, '')
  const whole = pieces.length === 1
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(head)?.[1]?.toLowerCase()
  if (scheme === undefined) {
    if (!whole && !/^[/#?]/.test(head))
      throw new TemplateFault(
        `The address “${plain.slice(0, 80)}” does not say where it leads. Begin it with https:// and the name of the site.`,
      )
    if (!whole && /^[/\\]{2}/.test(head) && !/^\/\/[^/?#\\]+[/?#]/.test(head)) throw openHost(plain)
    return { written: written(pieces), plain, counted: false }
  }
  if (scheme === 'data' && /^data:image\//i.test(head)) return { written: written(pieces), plain, counted: false }
  if (!harmless.has(scheme))
    throw new TemplateFault(
      `An address that begins with “${scheme}:” cannot stand in a mail. Use https:, mailto: or tel:.`,
    )
  const web = scheme === 'http' || scheme === 'https'
  if (web && !whole && !/^https?:\/\/[^/?#\\]+[/?#]/i.test(head)) throw openHost(plain)
  return { written: written(pieces), plain, counted: web }
}

const openHost = (plain: string) =>
  new TemplateFault(
    `The address “${plain.slice(0, 80)}” leaves its site to a value. Write the site out and let values follow behind a slash: https://shop.example/{{ person.id }}.`,
  )
