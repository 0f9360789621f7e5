import type { Block, Body } from '../contract.ts'
import { piecesOf } from './pieces.ts'

const escape = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
/** Paragraphs and lines as people typed them. Liquid tags survive, because they hold none of the letters that are escaped, but for quotes and signs. */
const prose = (text: string) =>
  piecesOf(text)
    .map((piece) => (piece.liquid ? piece.text : escape(piece.text)))
    .join('')
    .replace(/\r\n|\r|\n/g, '<br />')

/** An address as people typed it. Liquid takes either quotes, and MJML only what is not around its attributes. */
const address = (text: string) =>
  piecesOf(text)
    .map((piece) => (piece.liquid && !piece.text.includes("'") ? piece.text.replaceAll('"', "'") : escape(piece.text)))
    .join('')

function block(of: Block): string {
  switch (of.kind) {
    case 'heading':
      return `<mj-text font-size="24px" font-weight="680" line-height="30px">${prose(of.text)}</mj-text>`
    case 'text':
      return `<mj-text>${prose(of.text)}</mj-text>`
    case 'button':
      return `<mj-button href="${address(of.href)}" background-color="#1D3C8F" color="#ffffff" border-radius="8px">${prose(of.text)}</mj-button>`
    case 'image':
      return `<mj-image src="${address(of.src)}" alt="${escape(of.alt)}"${of.href === undefined || of.href === '' ? '' : ` href="${address(of.href)}"`} />`
    case 'divider':
      return '<mj-divider border-width="1px" border-color="#E3E6EA" />'
    case 'spacer':
      return `<mj-spacer height="${String(of.height)}px" />`
    case 'columns':
      return ''
  }
}

/** Blocks as MJML. The unsubscribe line is part of every mail and cannot be left out. */
export function mjmlOf(body: Body): string {
  if (body.design.kind === 'mjml') return body.design.source
  const sections: string[] = []
  let open: string[] = []
  const close = () => {
    if (open.length > 0) sections.push(`<mj-section padding="0"><mj-column>${open.join('')}</mj-column></mj-section>`)
    open = []
  }
  for (const of of body.design.blocks) {
    if (of.kind !== 'columns') {
      open.push(block(of))
      continue
    }
    close()
    sections.push(
      `<mj-section padding="0"><mj-column><mj-text>${prose(of.left)}</mj-text></mj-column><mj-column><mj-text>${prose(of.right)}</mj-text></mj-column></mj-section>`,
    )
  }
  close()
  return `<mjml><mj-head><mj-title>${prose(body.subject)}</mj-title>${body.preheader === '' ? '' : `<mj-preview>${prose(body.preheader)}</mj-preview>`}<mj-attributes><mj-all font-family="Inter, Helvetica, Arial, sans-serif" /><mj-text font-size="16px" line-height="24px" color="#16191D" /></mj-attributes></mj-head><mj-body background-color="#F7F8F9">${sections.join('')}<mj-section padding="24px 0"><mj-column><mj-text font-size="12px" color="#5B6470" align="center">You get this because you agreed to “{{ topic.name }}”. <a href="{{ unsubscribe }}">Unsubscribe</a></mj-text></mj-column></mj-section></mj-body></mjml>`
}
