import type { Compiled } from '../contract.ts'
import { isTracked } from './compile.ts'
import { parseLiquid, renderLiquid } from './liquid.ts'

/** One person's mail could not be made; the others' can. */
export class RenderFailure extends Error {}

export interface Message {
  subject: string
  preheader: string
  html: string
  text: string
  /** Fields that the template shows without a default and this person does not have. */
  blank: string[]
}

export interface MessageValues {
  person: Record<string, unknown>
  topic: { name: string }
  unsubscribe: string
  /** The address under which a link is counted; undefined leaves links alone (preview, tests). */
  track?: (href: string, number: number) => string
  /** The picture that counts an open; undefined for none. */
  pixel?: string
}

/** A version, parsed once; then one call for each person. @throws RenderFailure from the call, naming the expression */
export function renderer(compiled: Compiled): (values: MessageValues) => Message {
  const subject = parseLiquid(compiled.subject, 'text')
  const preheader = parseLiquid(compiled.preheader, 'text')
  const html = parseLiquid(compiled.html, 'html')
  const text = parseLiquid(compiled.text, 'text')
  return (values) => {
    const scope = { person: values.person, topic: values.topic, unsubscribe: values.unsubscribe }
    try {
      let page = renderLiquid(html, scope, 'html')
      let plain = renderLiquid(text, scope, 'text')
      const { track, pixel } = values
      if (track !== undefined) {
        const numbers = new Map<string, number>()
        const numberOf = (href: string) => {
          const known = numbers.get(href)
          if (known !== undefined) return known
          numbers.set(href, numbers.size)
          return numbers.size - 1
        }
        const rewrite = (href: string) =>
          href === values.unsubscribe || !isTracked(href) ? href : track(href, numberOf(href))
        page = page.replace(
          /(<a\b[^>]*\bhref=")([^"]*)(")/g,
          (_hit, before: string, href: string, after: string) => before + escape(rewrite(decode(href))) + after,
        )
        plain = plain.replace(/https?:\/\/[^\s\])>]+/g, (href) => rewrite(href))
      }
      if (pixel !== undefined)
        page = page.replace(
          /<\/body>/i,
          `<img src="${escape(pixel)}" width="1" height="1" alt="" style="display:none" /></body>`,
        )
      return {
        subject: oneLine(renderLiquid(subject, scope, 'text')),
        preheader: oneLine(renderLiquid(preheader, scope, 'text')),
        html: page,
        text: plain,
        blank: compiled.bare.filter((field) => isBlank(values.person, field)),
      }
    } catch (error) {
      throw new RenderFailure(
        error instanceof Error ? (error.message.split('\n')[0] ?? 'it cannot be rendered') : 'it cannot be rendered',
        { cause: error },
      )
    }
  }
}

const oneLine = (text: string) => text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ').trim()
const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
const decode = (text: string) =>
  text
    .replaceAll('&amp;', '&')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
function isBlank(person: Record<string, unknown>, field: string): boolean {
  let at: unknown = person
  for (const part of field.split('.'))
    at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[part] : undefined
  return at === undefined || at === null || at === ''
}
