import canonicalize from 'canonicalize'
import { convert } from 'html-to-text'
import mjml2html from 'mjml'
import { createHash } from 'node:crypto'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Body, Compiled } from '../contract.ts'
import { settleAddresses } from './addresses.ts'
import { decodeHtml } from './entities.ts'
import { TemplateFault } from './fault.ts'
import { fieldsRead } from './fields.ts'
import { parseLiquid } from './liquid.ts'
import { mjmlOf } from './mjml.ts'
import { piecesOf } from './pieces.ts'
import { checkShape, tagsOf } from './tags.ts'

/** Gmail cuts off at 102 kB. */
const clipBytes = 90_000
/** Whoever may look may compile, so what compiling costs has a bound: measured, the worst that passes takes some 0.4 s. */
const mostSourceBytes = 256 * 1024
const mostHtmlBytes = 1024 * 1024
const mostShape = { depth: 100, parts: 1_500 }
const mostHtmlDepth = 250
const mostExpressions = 5_000

/** Compiles a body once. @throws Refusal('does_not_compile') with the line that is wrong, or the sentence of what is */
export async function compileBody(body: Body): Promise<Compiled> {
  try {
    return await compile(body)
  } catch (error) {
    if (error instanceof TemplateFault) throw new Refusal('does_not_compile', error.message)
    // What stands deeper than the machine's stack, whichever library came upon it.
    if (error instanceof RangeError) throw new Refusal('does_not_compile', tooDeep)
    throw error
  }
}

async function compile(body: Body): Promise<Compiled> {
  if (sizeOf(body) > mostSourceBytes) throw tooLarge('as it is written', sizeOf(body), mostSourceBytes)
  const source = withoutMarks(mjmlOf(body))
  checkShape(source, mostShape)
  if (piecesOf(source).filter((piece) => piece.liquid).length > mostExpressions)
    throw new TemplateFault(
      `The mail has more than ${mostExpressions.toLocaleString('en-GB')} expressions in braces. Use fewer.`,
    )
  const made = await htmlOf(source)
  if (Buffer.byteLength(made) > mostHtmlBytes) throw tooLarge('as HTML', Buffer.byteLength(made), mostHtmlBytes)
  checkShape(made, { depth: mostHtmlDepth, parts: Infinity })
  for (const part of [body.subject, body.preheader, decodeHtml(made)])
    if (/\{%-?\s*(end)?tracked\b/.test(part))
      throw new TemplateFault('Links are counted by themselves; a template cannot use “tracked”.')
  const { html, links, hasWayOut } = settleAddresses(made)
  if (!hasWayOut) throw new TemplateFault('The mail has no way out: put {{ unsubscribe }} into the address of a link.')
  const text = textOf(html)
  const parts = [
    ['subject', body.subject, 'text'],
    ['preheader', body.preheader, 'text'],
    ['content', html, 'html'],
    ['text', text, 'text'],
  ] as const
  const parsed = parts.map(([what, part, as]) => {
    try {
      return parseLiquid(part, as)
    } catch (error) {
      if (error instanceof Error && /call stack/.test(error.message)) throw new TemplateFault(tooDeep)
      throw new TemplateFault(
        `The ${what} does not compile: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}`,
      )
    }
  })
  const bytes = Buffer.byteLength(html)
  return {
    subject: body.subject,
    preheader: body.preheader,
    html,
    text,
    fields: fieldsRead(...parsed),
    bare: bareFields(`${body.subject} ${body.preheader} ${html}`),
    links,
    bytes,
    warnings: warningsOf(html, text, bytes),
  }
}

async function htmlOf(source: string): Promise<string> {
  try {
    return (await mjml2html(source, { validationLevel: 'strict', minify: false, keepComments: false })).html
  } catch (error) {
    if (error instanceof RangeError) throw error
    const errors = (error as { errors?: { formattedMessage?: string; line?: number; message?: string }[] }).errors
    const first = errors?.[0]
    throw new Refusal(
      'does_not_compile',
      first === undefined
        ? `The MJML does not compile: ${error instanceof Error ? error.message : ''}`
        : `The MJML does not compile: line ${String(first.line ?? '?')}: ${first.message ?? first.formattedMessage ?? ''}`,
      { errors: errors?.slice(0, 10).map((one) => ({ line: one.line ?? null, message: one.message ?? '' })) ?? [] },
    )
  }
}

/** Two letters for private use stand for Liquid while HTML becomes text, which would wrap, capitalise and unescape it. */
const mark = /\uE000(\d+)\uE001/g
const withoutMarks = (text: string) => text.replace(/[\uE000\uE001]/g, '')
function textOf(html: string): string {
  const kept: string[] = []
  const marked = piecesOf(html)
    .map((piece) => (piece.liquid ? `\uE000${String(kept.push(piece.text) - 1)}\uE001` : piece.text))
    .join('')
  const text = convert(marked, {
    wordwrap: 100,
    selectors: [
      { selector: 'img', format: 'skip' },
      { selector: 'a', options: { hideLinkHrefIfSameAsText: true } },
    ],
  })
  return text.replace(mark, (_hit, number: string) => kept[Number(number)] ?? '')
}

function sizeOf({ subject, preheader, design }: Body): number {
  const rest = design.kind === 'mjml' ? design.source : JSON.stringify(design.blocks)
  return Buffer.byteLength(subject) + Buffer.byteLength(preheader) + Buffer.byteLength(rest)
}
const tooDeep = 'The content is nested too deeply. Close what is open, or nest less.'
const kilobytes = (bytes: number) => Math.round(bytes / 1024).toLocaleString('en-GB')
const tooLarge = (how: string, is: number, most: number) =>
  new TemplateFault(
    `The mail has ${kilobytes(is)} kB ${how}; ${kilobytes(most)} kB is the most. Put pictures on a server and shorten the text.`,
  )

function warningsOf(html: string, text: string, bytes: number): Compiled['warnings'] {
  const warnings = []
  if (bytes > clipBytes)
    warnings.push({
      what: `The mail is ${String(Math.round(bytes / 1000))} kB; Gmail cuts off near 102 kB, and the unsubscribe link with it.`,
      passes: 'Shorten it below 90 kB.',
    })
  if (
    [...tagsOf(html)].some(({ name, attributes }) => {
      const value = (wanted: string) => attributes.find((one) => one.name === wanted)?.value ?? ''
      return name === 'img' && value('alt') === '' && value('width') !== '1'
    })
  )
    warnings.push({
      what: 'An image has no words for those who do not see it.',
      passes: 'Give every image an alternative text.',
    })
  if (text.replace(/\s/g, '').length < 80)
    warnings.push({
      what: 'There is hardly any text; mails of one image are taken for spam.',
      passes: 'Say in words what the image says.',
    })
  return warnings
}

/** Fields of the person that are put in somewhere without a `default`. */
function bareFields(source: string): string[] {
  const bare = new Set<string>()
  for (const { text, liquid } of piecesOf(source)) {
    const field = liquid ? /^\{\{-?\s*person\.([A-Za-z0-9_.]+)/.exec(text)?.[1] : undefined
    if (field !== undefined && !/\|\s*default\b/.test(text)) bare.add(field)
  }
  return [...bare].sort()
}

/** What keys are on: SHA-256 over the canonical JSON of everything that goes out. */
export function hashOf(body: Body, compiled: Compiled): string {
  return createHash('sha256')
    .update(canonicalize({ body, html: compiled.html, text: compiled.text }) ?? '')
    .digest('hex')
}
