import { refusals } from '../lib/refusals/refusals.ts'

/** docs/refusals.md as it must be. `node test/refusals-page.ts > docs/refusals.md` writes it. */
export function refusalsPage(): string {
  const rows = Object.entries(refusals).map(
    ([code, row]) => `| \`${code}\` | ${String(row.status)} | ${row.sentence} | ${row.passes} |`,
  )
  return `# Refusals

Every refusal of every route is \`application/problem+json\` (RFC 9457) with these codes. Written from \`lib/refusals/refusals.ts\` by
\`node test/refusals-page.ts > docs/refusals.md\`; a test holds the two together. A running server shows the same at \`/api/docs\`.

| Code | Status | What is wrong | What would pass |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}

if (import.meta.main) process.stdout.write(refusalsPage())
