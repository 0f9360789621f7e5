import { once } from 'node:events'
import { rm, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build } from 'vite'
import { browserClients, type BrowserClient } from './expected.ts'
import { filledIn, snippetOf } from './guide.ts'

/** A company's web site, on an origin of its own, with one of the SDKs in it as the guide says. */
export interface Shop {
  /** A page with the client in it, set up for an address and a write key. */
  page(client: BrowserClient, at: { url: string; writeKey: string }): string
  /** A page without any client. */
  plain: string
  close(): Promise<void>
}

/** @param bundled made with Vite from the lines of the guide; a minute of one's life saved by making them once */
export async function aShop(): Promise<Shop> {
  const scripts = new Map<string, string>()
  for (const client of browserClients) {
    if (client !== 'segment-snippet') scripts.set(client, await bundled(client))
  }
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://shop')
    const client = pathname.slice(1) as BrowserClient
    const fill = (text: string) => filledIn(text, searchParams.get('url') ?? '', searchParams.get('key') ?? '')
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.setHeader('cache-control', 'no-store')
    const script = scripts.get(client)
    const body =
      client === 'segment-snippet'
        ? `<script></script>${fill(snippetOf(client))}`
        : script === undefined
          ? ''
          : `<script type="module">${fill(script).replaceAll('</script', String.raw`<\/script`)}</script>`
    response.end(
      `<!doctype html><html lang="da"><head><meta charset="utf-8"><title>Läden</title><link rel="icon" href="data:,"></head><body>${body}</body></html>`,
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  return {
    page: (client, { url, writeKey }) => `${origin}/${client}?${String(new URLSearchParams({ url, key: writeKey }))}`,
    plain: `${origin}/plain`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** The lines of the guide as a company's bundler makes them; address and key stay as they stand there until a page is asked for. */
async function bundled(client: BrowserClient): Promise<string> {
  const folder = await mkdtemp(join(import.meta.dirname, '../../node_modules/.interlock-shop-'))
  try {
    await writeFile(join(folder, 'entry.js'), `${snippetOf(client)}\nwindow.analytics = analytics\n`)
    await build({
      root: folder,
      logLevel: 'silent',
      configFile: false,
      build: {
        outDir: 'out',
        modulePreload: false,
        rolldownOptions: {
          input: join(folder, 'entry.js'),
          output: { entryFileNames: 'shop.js', codeSplitting: false },
        },
      },
    })
    return await readFile(join(folder, 'out/shop.js'), 'utf8')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
