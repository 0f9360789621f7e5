import { cluster } from '../../../lib/linkage/clusters.ts'
import { wordsOfRule } from '../../../lib/linkage/blocking.ts'
import { kinds } from '../../../lib/linkage/kinds.ts'
import { qualityOf, type Quality } from '../../../lib/linkage/measure.ts'
import { priorWeight } from '../../../lib/linkage/model.ts'
import { leastWeight } from './match.ts'
import type { Resolved } from './resolve.ts'

/** One page of HTML without scripts and without anything from elsewhere: what was compared, what it weighed, what came of it. */
export function resolveReport(resolved: Resolved, title: string, quality: Quality | undefined): string {
  const { fields, model, rules, refused, clusters, count, pairs, links } = resolved
  const sizes = sizesOf(clusters)
  const entities = [...sizes.values()].reduce((sum, many) => sum + many, 0)
  const sections = [
    section(
      'What came of it',
      `<p class="lead"><b>${whole(count)}</b> rows are <b>${whole(entities)}</b> entities. ${whole(pairs)} pairs were compared, ${whole(links.count)} of them speak for themselves or beside others.</p>${quality === undefined ? '' : qualityTable(quality)}`,
    ),
    section(
      'What each level weighs',
      `<p>A bit more doubles the odds that two rows are one, a bit less halves them. Before anything is compared, the odds weigh ${bits(priorWeight(model.prior))}: one pair in ${whole(1 / model.prior)} is a match. The same rare value weighs more than this, a frequent one less.</p>${weights(resolved)}`,
    ),
    section(
      'Which rows were compared',
      `<p>Comparing every row with every other would take ${whole((count * (count - 1)) / 2)} pairs. Only rows that agree on one of these were compared; each pair counts for the first rule that makes it. A rule far down with few links could be left out.</p>${table(
        ['Agree on', 'Pairs', 'Of them new', 'Links', 'Links in 100 pairs'],
        rules.map((rule) => [
          escape(wordsOfRule(rule, fields)),
          whole(rule.pairs),
          whole(rule.newPairs),
          bar(rule.links, Math.max(1, ...rules.map((one) => one.links)), whole(rule.links)),
          rule.newPairs === 0 ? '0' : ((rule.links / rule.newPairs) * 100).toFixed(1),
        ]),
      )}${
        refused.length === 0
          ? ''
          : `<details><summary>${whole(refused.length)} rules were refused</summary>${table(
              ['Agree on', 'Pairs', 'Because'],
              refused.slice(0, 60).map((rule) => [escape(wordsOfRule(rule, fields)), whole(rule.pairs), rule.because]),
            )}</details>`
      }`,
    ),
    section(
      'How large the entities are',
      table(
        ['Rows', 'Entities'],
        [...sizes]
          .sort(([one], [other]) => one - other)
          .map(([size, many]) => [String(size), bar(many, Math.max(...sizes.values()), whole(many))]),
      ),
    ),
    section('What the threshold does', curve(resolved)),
    section(
      'What was compared',
      table(
        ['Column', 'Compared as'],
        resolved.columns.map(({ name, recognised }) => [
          escape(name),
          'kind' in recognised
            ? escape(namesOfKinds[recognised.kind] ?? recognised.kind) +
              (isUntrained(resolved, name) ? ' (nothing could be learned of it, so it counts for nothing)' : '')
            : `<span class="quiet">left out: ${escape(recognised.ignored)}</span>`,
        ]),
      ),
    ),
  ]
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escape(title)}</title><style>${style}</style><main><h1>${escape(title)}</h1>${sections.join('')}</main></html>`
}

export const namesOfKinds: Readonly<Record<string, string>> = {
  givenName: 'given name',
  surname: 'surname',
  fullName: 'full name',
  dateOfBirth: 'date of birth',
  email: 'e-mail address',
  phone: 'telephone number',
  postcode: 'postcode',
  address: 'address',
  number: 'number in a street',
  place: 'short text (a place, say)',
  category: 'one of a few values',
  id: 'number of a register',
  company: 'name of a company',
  website: 'website',
  text: 'longer text',
}

const isUntrained = ({ fields, model }: Resolved, name: string) =>
  model.untrained.includes(fields.findIndex((field) => field.name === name))

/** How many entities have how many rows. */
export function sizesOf(clusters: Uint32Array): Map<number, number> {
  const rows = new Map<number, number>()
  for (const one of clusters) rows.set(one, (rows.get(one) ?? 0) + 1)
  const sizes = new Map<number, number>()
  for (const size of rows.values()) sizes.set(size, (sizes.get(size) ?? 0) + 1)
  return sizes
}

function weights({ fields, model }: Resolved): string {
  const rows = fields.flatMap((field, at) => {
    const { m = [], u = [], given = [] } = model.fields[at] ?? {}
    const most = 24
    return m.slice(1).map((_, place) => {
      const level = m.length - 1 - place
      const weight = weigh(m, u, level)
      const beside = given
        .filter((one) => (one.u[level] ?? 0) > (u[level] ?? 0) && level > 1)
        .map((one) => `${bits(weigh(m, one.u, level))} when ${fields[one.field]?.name ?? ''} is the same`)
      const width = (Math.min(most, Math.abs(weight)) / most) * 50
      const left = weight < 0 ? 50 - width : 50
      const cells = [
        `${escape(kinds[field.kind].words[level - 1] ?? '')}${beside.length === 0 ? '' : ` <span class="quiet">(${escape(beside.join(', '))})</span>`}`,
        `<span class="${weight < 0 ? 'against' : 'for'}" style="left:${left.toFixed(1)}%;width:${width.toFixed(1)}%"></span>`,
        bits(weight),
        percent(m[level] ?? 0),
        percent(u[level] ?? 0),
      ]
      return `<tr><th scope="row">${place === 0 ? escape(field.name) : ''}</th>${cells.map((cell, at) => `<td class="${at === 1 ? 'chart' : at > 1 ? 'number' : ''}">${cell}</td>`).join('')}</tr>`
    })
  })
  return `<div class="wide"><table><thead><tr><th>Field</th><th>Level</th><th>Against · for</th><th>Weighs</th><th>Of matches</th><th>By chance</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

const weigh = (m: readonly number[], u: readonly number[], level: number) =>
  Math.log2((m[level] ?? 0) / (u[level] ?? 1))

function curve(resolved: Resolved): string {
  const { links, count, truth, threshold } = resolved
  const rows = [-3, -2, -1, 0, 1, 2, 4, 6, 8, 12].map((at) => {
    const clusters = cluster(count, links, { threshold: at, unseen: leastWeight })
    const entities = new Set(clusters).size
    const quality = truth === undefined ? undefined : qualityOf(clusters, truth)
    return [
      `${at === threshold ? '<b>' : ''}${bits(at)}${at === threshold ? ', as here</b>' : ''}`,
      whole(entities),
      ...(quality === undefined
        ? []
        : [
            bar(quality.precision, 1, quality.precision.toFixed(4)),
            bar(quality.recall, 1, quality.recall.toFixed(4)),
            bar(quality.f1, 1, quality.f1.toFixed(4)),
          ]),
    ]
  })
  return `<p>Two groups of rows become one while a pair between them weighs at least this on average.</p>${table(['Threshold', 'Entities', ...(truth === undefined ? [] : ['Precision', 'Recall', 'F1'])], rows)}`
}

const qualityTable = (quality: Quality) =>
  `${table(
    ['Precision', 'Recall', 'F1', 'True pairs', 'Found pairs'],
    [
      [
        quality.precision.toFixed(4),
        quality.recall.toFixed(4),
        quality.f1.toFixed(4),
        whole(quality.truePairs),
        whole(quality.foundPairs),
      ],
    ],
  )}<p class="quiet">Of the pairs that were put together, the share that are one (precision); of the pairs that are one, the share that were put together (recall); and the harmonic mean of both.</p>`

const whole = (value: number) => Math.round(value).toLocaleString('en-GB')
const bits = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)} bits`
const percent = (share: number) =>
  share >= 0.0001 ? `${(share * 100).toPrecision(3)}%` : `1 in ${whole(1 / Math.max(share, 1e-9))}`
const escape = (text: string) =>
  text.replace(
    /[&<>"']/g,
    (letter) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[letter] ?? letter,
  )
const section = (title: string, content: string) => `<section><h2>${title}</h2>${content}</section>`
const bar = (value: number, most: number, words: string) =>
  `<span class="bar"><i style="width:${((value / most) * 100).toFixed(1)}%"></i></span><span class="number">${words}</span>`
const table = (names: readonly string[], rows: readonly (readonly string[])[]) =>
  `<div class="wide"><table><thead><tr>${names.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead><tbody>${rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</tbody></table></div>`

const style = `
:root{color-scheme:light dark;--page:#F7F8FA;--card:#fff;--ink:#14181D;--quiet:#5A6572;--line:#DDE2E8;--for:#2447D8;--against:#B4552D}
@media (prefers-color-scheme:dark){:root{--page:#111418;--card:#1A1E23;--ink:#E9ECEF;--quiet:#A3ADB8;--line:#2D333A;--for:#8FA8FF;--against:#F0A07A}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:15px/1.55 system-ui,sans-serif}
main{max-width:1040px;margin:0 auto;padding:24px 16px 64px}h1{font-size:26px;line-height:1.25;overflow-wrap:anywhere}h2{font-size:18px;margin:0 0 8px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:20px;margin:16px 0}.lead{font-size:17px}.quiet{color:var(--quiet)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{text-align:left;padding:5px 12px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
thead th{color:var(--quiet);font-weight:500}.number{white-space:nowrap}.chart{position:relative;min-width:180px;background:linear-gradient(var(--line),var(--line)) 50% 0/1px 100% no-repeat}
.chart span{position:absolute;top:7px;height:14px;border-radius:2px}.for{background:var(--for)}.against{background:var(--against)}
.bar{display:inline-block;width:120px;height:10px;background:var(--line);border-radius:5px;margin-right:8px;vertical-align:middle;overflow:hidden}.bar i{display:block;height:100%;background:var(--for)}
summary{cursor:pointer;padding:8px 0}
`
