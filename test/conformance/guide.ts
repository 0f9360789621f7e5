import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from './expected.ts'

const guide = readFileSync(join(import.meta.dirname, '../../docs/guide/sdks.md'), 'utf8')

/** The lines of docs/guide/sdks.md for a client, as they stand there. */
export function snippetOf(client: Client): string {
  const found = new RegExp(`^\`\`\`(?:html|js) ${client}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(guide)
  if (found?.[1] === undefined) throw new Error(`docs/guide/sdks.md has no lines for ${client}.`)
  return found[1]
}

/** The same with an address and a write key in the places that the guide names. */
export const filledIn = (text: string, url: string, writeKey: string): string =>
  text.replaceAll('https://cdp.example.com', url).replaceAll('YOUR_WRITE_KEY', writeKey)
