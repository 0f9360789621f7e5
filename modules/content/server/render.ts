import type { Compiled } from '../contract.ts'
import { escapeHtml } from './entities.ts'
import { onlyFields, valueAt } from './fields.ts'
import { parseLiquid, renderLiquid, type Track } from './liquid.ts'

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
  track?: Track
  /** The picture that counts an open; undefined for none. */
  pixel?: string
}

/**
 * A version, parsed once; then one call for each person. Of the person, rendering sees only the fields that the version declares. What is counted
 * was settled when the template was compiled: nothing is looked for in the finished mail. Whatever the template's conditions leave out, the mail ends
 * with a way out.
 * @throws RenderFailure from the call, naming the expression
 */
export function renderer(compiled: Compiled): (values: MessageValues) => Message {
  const subject = parseLiquid(compiled.subject, 'text')
  const preheader = parseLiquid(compiled.preheader, 'text')
  const html = parseLiquid(compiled.html, 'html')
  const text = parseLiquid(compiled.text, 'text')
  return (values) => {
    const { topic, unsubscribe, track, pixel } = values
    const scope = {
      person: onlyFields(values.person, compiled.fields),
      topic: { name: topic.name },
      unsubscribe,
    }
    try {
      let page = renderLiquid(html, scope, 'html', track)
      let plain = renderLiquid(text, scope, 'text', track)
      if (!page.includes(`href="${escapeHtml(unsubscribe)}"`)) page = atTheEnd(page, wayOut(topic.name, unsubscribe))
      if (!plain.includes(unsubscribe)) plain = `${plain}\n\nUnsubscribe: ${unsubscribe}\n`
      if (pixel !== undefined)
        page = atTheEnd(page, `<img src="${escapeHtml(pixel)}" width="1" height="1" alt="" style="display:none" />`)
      return {
        subject: oneLine(renderLiquid(subject, scope, 'text')),
        preheader: oneLine(renderLiquid(preheader, scope, 'text')),
        html: page,
        text: plain,
        blank: compiled.bare.filter((field) => isBlank(valueAt(values.person, field))),
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
const isBlank = (value: unknown) => value === undefined || value === null || value === ''
const wayOut = (topic: string, unsubscribe: string) =>
  `<p style="font-family:Helvetica,Arial,sans-serif;font-size:12px;color:#5B6470;text-align:center">You get this because you agreed to “${escapeHtml(topic)}”. <a href="${escapeHtml(unsubscribe)}">Unsubscribe</a></p>`
function atTheEnd(page: string, what: string): string {
  const at = page.lastIndexOf('</body>')
  return at < 0 ? page + what : page.slice(0, at) + what + page.slice(at)
}
