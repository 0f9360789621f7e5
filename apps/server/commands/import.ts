import { createReadStream, existsSync } from 'node:fs'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { fileKinds, looksLikeConsent, type Import } from '../../../modules/imports/contract.ts'
import type { Source } from '../../../modules/sources/contract.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { ask, type RunningServer } from '../control.ts'
import { common, Misuse, type Command } from './command.ts'
import { withServer } from './server-of.ts'

export const importFile: Command = {
  name: 'import',
  usage: 'import SOURCE FILE',
  summary:
    'Read a file into a source, which is made (as a CRM) when there is none of this name: how the file is written and what its columns mean is found out and shown.',
  options: {
    ...common,
    'dry-run': { type: 'boolean', says: 'count and show the ten worst rows, store nothing' },
  },
  async run({ config, options, rest, print, json }) {
    const [name, path, ...more] = rest
    if (name === undefined || path === undefined || more.length > 0)
      throw new Misuse('Say: interlock import SOURCE FILE, for example: interlock import "Old CRM" customers.csv')
    if (!existsSync(path)) throw new Misuse(`There is no file ${path}.`)
    return withServer(config, async (server) => {
      const done = await through(server, path, name, options['dry-run'] === true, (line) => {
        // To a person who looks; a log would keep each of them.
        if (!json && process.stderr.isTTY) process.stderr.write(`\r\u001B[2K${line}`)
      })
      if (!json && process.stderr.isTTY) process.stderr.write('\r\u001B[2K')
      print(json ? JSON.stringify(done) : report(done, options['dry-run'] === true))
      return done.state === 'failed' ? 1 : 0
    })
  },
}

async function through(
  server: RunningServer,
  path: string,
  name: string,
  dry: boolean,
  progress: (line: string) => void,
): Promise<Import> {
  const { sources } = (await ask(server, 'GET', '/api/sources')) as { sources: Source[] }
  const source =
    sources.find((one) => one.name === name) ??
    ((await ask(server, 'POST', '/api/sources', { name, kind: 'crm' })) as Source)
  const query = new URLSearchParams({ sourceId: source.id, fileName: basename(path) })
  const uploaded = (await ask(
    server,
    'POST',
    `/api/imports?${query.toString()}`,
    Readable.toWeb(createReadStream(path)),
  )) as Import
  let now = (await ask(server, 'POST', `/api/imports/${uploaded.id}/${dry ? 'check' : 'run'}`)) as Import
  while (now.state === 'checking' || now.state === 'running') {
    if (now.counts !== null)
      progress(
        `${String(now.counts.rows)} rows, ${String(Math.round((now.bytesRead / Math.max(1, now.bytes)) * 100))}% of the file`,
      )
    await systemClock.sleep(300)
    now = (await ask(server, 'GET', `/api/imports/${uploaded.id}`)) as Import
  }
  return now
}

function report(done: Import, dry: boolean): string {
  const { counts, format } = done
  const delimiter = format.delimiter === '\t' ? 'tab' : `“${format.delimiter}”`
  const { name, asks } = fileKinds[format.kind]
  const says = {
    delimiter: `columns separated by ${delimiter}`,
    encoding: format.encoding,
    hasHeader: `${format.hasHeader ? 'with' : 'without'} a header`,
    sheet: `sheet “${format.sheet}”`,
    starts: `columns from ${format.starts.map((start) => start + 1).join(', ')}`,
    dateOrder: format.dateOrder === 'dmy' ? 'day first in dates' : 'month first in dates',
  }
  const lines = [
    `${done.fileName}: ${[`${name}${format.gzip ? ' packed with gzip' : ''}`, ...asks.map((asked) => says[asked])].join(', ')}.`,
    ...(done.looksLike === null ? [] : [done.looksLike.says]),
    ...(done.mapped === null
      ? []
      : [
          `Read as the last file with these columns was, as ${done.mapped.by} meant it on ${done.mapped.at.slice(0, 10)}.`,
        ]),
    ...done.columns.map((column) => {
      const { meaning } = column
      const means =
        meaning.kind === 'identifier'
          ? `identifier ${meaning.type}`
          : meaning.kind === 'trait'
            ? `trait ${meaning.name}`
            : meaning.kind === 'consent'
              ? `consent: ${meaning.part}${meaning.topic === undefined ? '' : ` of topic ${meaning.topic}`}`
              : 'left out'
      const offer = looksLikeConsent(column)
        ? '  (looks like consent; none is recorded from it until a topic is chosen on the page of the import)'
        : ''
      return `  ${column.name.padEnd(24)} ${means}${offer}`
    }),
  ]
  if (counts !== null)
    lines.push(
      `${String(counts.rows)} rows: ${String(counts.sent)} ${dry ? 'would go in' : 'went in'}, ${String(counts.unchanged)} unchanged, ${String(counts.quarantined)} put aside, ${String(counts.rejected)} rejected; ${String(counts.withProblems)} with cells that could not be read.`,
      ...(format.rows === 'people'
        ? []
        : [`In the rows that ${dry ? 'would go' : 'went'} in: ${String(counts.orders)} orders.`]),
      ...counts.consents.flatMap(({ topic, given, withdrawn }) => [
        ...(given === 0
          ? []
          : [
              `${String(given)} ${given === 1 ? 'consent' : 'consents'} to topic ${topic} ${dry ? 'will be' : given === 1 ? 'was' : 'were'} recorded.`,
            ]),
        ...(withdrawn === 0
          ? []
          : [
              `${String(withdrawn)} ${withdrawn === 1 ? 'withdrawal' : 'withdrawals'} from topic ${topic} ${dry ? 'will be' : withdrawn === 1 ? 'was' : 'were'} recorded.`,
            ]),
      ]),
      ...counts.reasons.map((one) => `  ${String(one.rows).padStart(6)} × ${one.reason}`),
      ...done.worst.map((row) => `  line ${String(row.line)}: ${row.problems.join('; ')}`),
    )
  if (done.because !== null) lines.push(done.because)
  return lines.join('\n')
}
