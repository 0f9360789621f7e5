import { z } from 'zod'
import type { AnyRoute } from '../../lib/routes/routes.ts'
import { refusals } from '../../lib/refusals/refusals.ts'

const escape = (text: string) => text.replace(/[&<>"']/g, (letter) => `&#${String(letter.codePointAt(0))};`)

export const docsStyle = `:root{color-scheme:light dark;background:light-dark(#fff,#121417);color:light-dark(#16191d,#e8eaed)}a{color:light-dark(#1f3a8a,#a9bcff)}body{font:15px/1.5 Inter,system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}table{border-collapse:collapse;width:100%}td,th{padding:.35rem .6rem;text-align:left;border-bottom:1px solid #8884;vertical-align:top}code{overflow-wrap:anywhere}pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:13px;margin:.4rem 0}summary{cursor:pointer}@media(max-width:700px){table,tbody,tr,td{display:block}thead{position:absolute;left:-99rem}tr{border-bottom:1px solid #8886;padding:.5rem 0}td{border:0;padding:.1rem 0}}
`

/** What a route takes, folded away: most readers look for one. */
function bodyOf(route: AnyRoute): string {
  if (route.body === undefined) return ''
  const { $schema: _, ...schema } = z.toJSONSchema(route.body, { io: 'input', unrepresentable: 'any' })
  return `<details><summary>its body</summary><pre>${escape(JSON.stringify(schema, null, 1))}</pre></details>`
}

/** `/api/docs`: every route and every refusal on one plain page, without a script. */
export function docsPage(routes: readonly AnyRoute[]): string {
  const rows = [...routes]
    .sort((a, b) => a.path.localeCompare(b.path) || a.method.localeCompare(b.method))
    .map(
      (route) =>
        `<tr><td><code>${route.method}</code></td><td><code>${escape(route.path)}</code></td><td>${escape(route.summary)}${bodyOf(route)}</td><td>${escape(route.allow)}</td></tr>`,
    )
  const refused = Object.entries(refusals).map(
    ([code, row]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${String(row.status)}</td><td>${escape(row.sentence)}</td><td>${escape(row.passes)}</td></tr>`,
  )
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Interlock API</title><link rel="stylesheet" href="/api/docs.css"></head>
<body><main><p><a href="/">Back to Interlock</a></p><h1>Interlock API</h1><p>Everything the pages do. Send an API key as <code>Authorization: Bearer il_…</code>; the machine-readable form is <a href="/api/openapi.json">/api/openapi.json</a>.</p>
<p>Events come in by another door, <code>/v1/track</code>, <code>/v1/identify</code>, <code>/v1/page</code>, <code>/v1/screen</code>, <code>/v1/group</code>, <code>/v1/alias</code> and <code>/v1/batch</code>, with a write key in place of an API key and the bodies of the SDKs of Segment and RudderStack: the page of each source shows one to paste.</p>
<table><thead><tr><th>Method</th><th>Path</th><th>What it does</th><th>Who may</th></tr></thead><tbody>${rows.join('')}</tbody></table>
<h2>Refusals</h2><p>Every refusal is <code>application/problem+json</code>: what is wrong, and what would pass.</p>
<table><thead><tr><th>Code</th><th>Status</th><th>What is wrong</th><th>What would pass</th></tr></thead><tbody>${refused.join('')}</tbody></table></main></body></html>`
}
