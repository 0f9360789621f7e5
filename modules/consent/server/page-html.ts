/** Plain pages for customers: one column, our colours, both schemes, no script. Every value is escaped here and nowhere else. */

export type Part =
  | { text: string }
  | { link: string; label: string }
  | { form: string; button: string; value: string }
  | {
      form: string
      topics: {
        id: string
        name: string
        description: string
        wording: string
        wanted: boolean
        since: string | null
        state: string | null
      }[]
    }
  | { history: { at: string; topic: string; state: string; source: string }[] }

const escape = (text: string) => text.replace(/[&<>"']/g, (letter) => `&#${String(letter.codePointAt(0))};`)
const day = (iso: string) => `<time datetime="${escape(iso)}">${escape(iso.slice(0, 10))}</time>`
const said: Readonly<Record<string, string>> = { granted: 'yes', denied: 'no', withdrawn: 'stopped' }

export function page(company: string, title: string, parts: readonly Part[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>${escape(title)} · ${escape(company)}</title><link rel="stylesheet" href="/p/style.css"></head>
<body><main><p class="who">${escape(company)}</p><h1>${escape(title)}</h1>
${parts.map(html).join('\n')}
</main></body></html>`
}

function html(part: Part): string {
  if ('text' in part) return `<p>${escape(part.text)}</p>`
  if ('link' in part) return `<p><a href="${escape(part.link)}">${escape(part.label)}</a></p>`
  if ('history' in part) {
    if (part.history.length === 0) return '<p class="quiet">Nothing was decided for this address so far.</p>'
    return `<details><summary>What was decided, and where</summary><table><thead><tr><th>Day (UTC)</th><th>Topic</th><th>Decision</th><th>Where</th></tr></thead><tbody>${part.history
      .map(
        (row) =>
          `<tr><td>${day(row.at)}</td><td>${escape(row.topic)}</td><td>${escape(said[row.state] ?? row.state)}</td><td>${escape(row.source)}</td></tr>`,
      )
      .join('')}</tbody></table></details>`
  }
  if ('topics' in part)
    return `<form method="post" action="${escape(part.form)}">${part.topics
      .map(
        (topic) =>
          `<label class="topic"><input type="checkbox" name="topic" value="${escape(topic.id)}"${topic.wanted ? ' checked' : ''}><span><b>${escape(topic.name)}</b>${topic.description === '' ? '' : `<br>${escape(topic.description)}`}<br><small>${escape(topic.wording)}${topic.since === null || topic.state === null ? '' : ` Decided ${day(topic.since)}: ${escape(said[topic.state] ?? topic.state)}.`}</small></span></label>`,
      )
      .join(
        '',
      )}<p class="deeds"><button name="deed" value="save">Save my choice</button> <button class="second" name="deed" value="stop">Stop everything</button></p></form>`
  const [name = '', value = ''] = part.value.split('=')
  return `<form method="post" action="${escape(part.form)}"><input type="hidden" name="${escape(name)}" value="${escape(value)}"><p class="deeds"><button>${escape(part.button)}</button></p></form>`
}

export const stylesheet = `:root{color-scheme:light dark;--page:#F7F8F9;--card:#fff;--ink:#16191D;--quiet:#5B6470;--line:#E3E6EA;--blue:#1D3C8F;--on-blue:#fff}
@media (prefers-color-scheme:dark){:root{--page:#111418;--card:#1A1E23;--ink:#E9ECEF;--quiet:#A3ADB8;--line:#2D333A;--blue:#8FA8FF;--on-blue:#111418}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 'Inter Variable',Inter,system-ui,sans-serif}
main{max-width:36rem;margin:8vh auto;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:12px}
@media (max-width:40rem){main{margin:0;min-height:100vh;border:0;border-radius:0;padding:1.5rem}}
h1{font-size:25px;font-weight:680;line-height:1.25;margin:0 0 1rem}
.who,.quiet,small{color:var(--quiet);font-size:13px}
.who{margin:0 0 .5rem}
a{color:var(--blue)}
.topic{display:flex;gap:.75rem;padding:.9rem 0;border-top:1px solid var(--line);cursor:pointer}
.topic input{inline-size:20px;block-size:20px;flex:none;margin:.15rem 0 0;accent-color:var(--blue)}
.deeds{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.25rem 0}
button{font:inherit;font-weight:600;min-height:44px;padding:.5rem 1.1rem;border-radius:8px;border:1px solid var(--blue);background:var(--blue);color:var(--on-blue);cursor:pointer}
button.second{background:transparent;color:var(--blue)}
:focus-visible{outline:3px solid var(--blue);outline-offset:2px}
details{margin-top:1rem}
summary{cursor:pointer}
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.4rem .5rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--quiet);font-weight:500}
`
