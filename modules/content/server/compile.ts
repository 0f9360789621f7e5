import canonicalize from 'canonicalize'
import { convert } from 'html-to-text'
import mjml2html from 'mjml'
import { createHash } from 'node:crypto'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Body, Compiled } from '../contract.ts'
import { fieldsRead, parseLiquid, type Parsed } from './liquid.ts'
import { mjmlOf } from './mjml.ts'

const clipBytes = 90_000

/** Compiles a body once. @throws Refusal('does_not_compile') with the line that is wrong */
export async function compileBody(body: Body): Promise<Compiled> {
  const source = mjmlOf(body)
  let html: string
  try {
    const done = await mjml2html(source, { validationLevel: 'strict', minify: false, keepComments: false })
    html = done.html
  } catch (error) {
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
  if (!/\{\{\s*unsubscribe\s*\}\}/.test(html))
    throw new Refusal('does_not_compile', 'The mail has no way out: put {{ unsubscribe }} into the address of a link.')
  html = safeLinks(html)
  const text = convert(html, {
    wordwrap: 100,
    selectors: [
      { selector: 'img', format: 'skip' },
      { selector: 'a', options: { hideLinkHrefIfSameAsText: true } },
    ],
  })
  const parsed: Parsed[] = []
  for (const [what, part, as] of [
    ['subject', body.subject, 'text'],
    ['preheader', body.preheader, 'text'],
    ['content', html, 'html'],
    ['text', text, 'text'],
  ] as const) {
    try {
      parsed.push(parseLiquid(part, as))
    } catch (error) {
      throw new Refusal(
        'does_not_compile',
        `The ${what} does not compile: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}`,
      )
    }
  }
  const links = [
    ...new Set(
      [...html.matchAll(/<a\b[^>]*\bhref="([^"]*)"/g)].map((match) => unescape(match[1] ?? '')).filter(isTracked),
    ),
  ]
  const bytes = Buffer.byteLength(html)
  const warnings = []
  if (bytes > clipBytes)
    warnings.push({
      what: `The mail is ${String(Math.round(bytes / 1000))} kB; Gmail cuts off near 102 kB, and the unsubscribe link with it.`,
      passes: 'Shorten it below 90 kB.',
    })
  if (/<img\b(?![^>]*\balt="[^"]+")/.test(html.replace(/<img[^>]*width="1"[^>]*>/g, '')))
    warnings.push({
      what: 'An image has no words for those who do not see it.',
      passes: 'Give every image an alternative text.',
    })
  if (text.replace(/\s/g, '').length < 80)
    warnings.push({
      what: 'There is hardly any text; mails of one image are taken for spam.',
      passes: 'Say in words what the image says.',
    })
  return {
    subject: body.subject,
    preheader: body.preheader,
    html,
    text,
    fields: fieldsRead(...parsed),
    bare: bareFields(`${body.subject} ${body.preheader} ${html}`),
    links,
    bytes,
    warnings,
  }
}

/** Fields of the person that are put in somewhere without a `default`. */
function bareFields(source: string): string[] {
  const bare = [...source.matchAll(/\{\{-?\s*person\.([A-Za-z0-9_.]+)([^}]*)\}\}/g)].flatMap((match) =>
    /\|\s*default\b/.test(match[2] ?? '') ? [] : [match[1] ?? ''],
  )
  return [...new Set(bare)].sort()
}

/** What keys are on: SHA-256 over the canonical JSON of everything that goes out. */
export function hashOf(body: Body, compiled: Compiled): string {
  return createHash('sha256')
    .update(canonicalize({ body, html: compiled.html, text: compiled.text }) ?? '')
    .digest('hex')
}

/** Links that are counted: those to the web. Mail, telephone, anchors and the unsubscribe link stay as they are. */
export function isTracked(href: string): boolean {
  return /^(https?:|\{\{)/i.test(href.trim()) && !/^\{\{\s*unsubscribe\s*\}\}$/.test(href.trim())
}

/** Every Liquid value that stands at the beginning of an address goes through `safe_url`: escaping alone lets `javascript:` pass. */
function safeLinks(html: string): string {
  return html.replace(/\b(href|src)="\s*\{\{([^}]*)\}\}/gi, (hit, name: string, inner: string) =>
    /\bsafe_url\b/.test(inner) || /^\s*unsubscribe\s*$/.test(inner)
      ? hit
      : `${name}="{{${inner.trimEnd()} | safe_url }}`,
  )
}
function unescape(text: string): string {
  return text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'")
}
