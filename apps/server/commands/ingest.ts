import { existsSync, readFileSync } from 'node:fs'
import { isatty } from 'node:tty'
import type { Source } from '../../../modules/sources/contract.ts'
import type { routes, Run } from '../../../modules/streams/contract.ts'
import type { ReplyOf } from '../../../lib/routes/routes.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import { ask, Refused, runningServer, type RunningServer } from '../control.ts'
import { serve } from '../main.ts'
import { common, Misuse, type Command } from './command.ts'
import { partsOf, type MessagePart } from './ingest-parts.ts'
import { openStateFile } from './ingest-state.ts'

type Reply = ReplyOf<typeof routes.take>
/** How often a part is sent again while the journal is busy, and how long between. */
const tries = 60
const betweenMs = 1000

export const ingest: Command = {
  name: 'ingest',
  usage: 'ingest SOURCE',
  summary:
    'Take in what a Singer tap or an Airbyte source writes: some-tap | npx interlock ingest SOURCE. The source is made (as a CRM) when there is none of this name.',
  options: {
    ...common,
    format: { type: 'string', value: 'NAME', says: 'singer or airbyte; found out when left out' },
    state: {
      type: 'string',
      value: 'FILE',
      says: 'where the state is kept: written when everything before it is stored',
    },
    catalog: {
      type: 'string',
      value: 'FILE',
      says: 'the catalog given to an Airbyte source, for keys and types (Singer taps say them)',
    },
    'let-go': { type: 'boolean', says: 'more than half of a stream did not come again, and it is really gone' },
  },
  async run({ config, options, rest, json, print }) {
    const [name, ...more] = rest
    if (name === undefined || more.length > 0)
      throw new Misuse('Say: some-tap --config tap.json | interlock ingest "Old CRM" --state state.json')
    if (isatty(0))
      throw new Misuse('Nothing is led into it. Say: some-tap --config tap.json | interlock ingest "Old CRM"')
    const { format, catalog } = options
    if (format !== undefined && format !== 'singer' && format !== 'airbyte')
      throw new Misuse('--format is singer or airbyte.')
    const first = typeof catalog === 'string' ? [catalogLine(catalog)] : []
    const state = openStateFile(typeof options['state'] === 'string' ? options['state'] : undefined)
    const known = runningServer(config.dataDir)
    const own =
      known === undefined
        ? await serve({ ...config, port: 0 }, { demo: false, pages: false, print: () => undefined })
        : undefined
    try {
      const server = known ?? runningServer(config.dataDir)
      if (server === undefined) throw new Error('The server did not start.')
      const query = {
        sourceId: (await sourceOf(server, name)).id,
        ...(format === undefined ? {} : { format }),
        ...(options['let-go'] === true ? { letGo: 'yes' } : {}),
      }
      const run = await through(server, query, partsOf(process.stdin, first, systemClock), (reply) => {
        for (const one of state.keep(reply.states)) if (!json) print(one)
        for (const { text } of reply.says) process.stderr.write(`${name} says: ${text}\n`)
      })
      if (json) print(JSON.stringify(run))
      else process.stderr.write(`${report(run)}\n`)
      return run.state === 'done' && run.counts.malformed === 0 ? 0 : 1
    } finally {
      await own?.app.collect.drained()
      await own?.stop()
    }
  },
}

async function sourceOf(server: RunningServer, name: string): Promise<Source> {
  const { sources } = (await ask(server, 'GET', '/api/sources')) as { sources: Source[] }
  return (
    sources.find((one) => one.name === name) ??
    ((await ask(server, 'POST', '/api/sources', { name, kind: 'crm' })) as Source)
  )
}

/** A catalog as a message, discovered or configured. */
function catalogLine(path: string): string {
  if (!existsSync(path)) throw new Misuse(`There is no file ${path}.`)
  const value = JSON.parse(readFileSync(path, 'utf8')) as { catalog?: unknown }
  return JSON.stringify({ type: 'CATALOG', catalog: value.catalog ?? value })
}

/** Part by part: the next is read from standard input when this one is stored. */
async function through(
  server: RunningServer,
  query: Record<string, string>,
  parts: AsyncIterable<MessagePart>,
  heard: (reply: Reply) => void,
): Promise<Run> {
  let run: string | undefined
  let from = 1
  let bad = false
  const send = async (body: Uint8Array<ArrayBuffer>, end: string | undefined) => {
    const words = new URLSearchParams({
      ...query,
      from: String(from),
      ...(run === undefined ? {} : { run }),
      ...(end === undefined ? {} : { end }),
    })
    const reply = (await patiently(() =>
      ask(server, 'POST', `/api/streams/messages?${words.toString()}`, new Blob([body]).stream()),
    )) as Reply
    run = reply.run.id
    bad ||= reply.says.some((one) => one.bad)
    heard(reply)
    return reply.run
  }
  for await (const part of parts) {
    await send(part.body, undefined)
    from += part.lines
  }
  return send(new Uint8Array(), bad ? 'badly' : 'well')
}

async function patiently<Result>(send: () => Promise<Result>): Promise<Result> {
  for (let nth = 1; ; nth += 1)
    try {
      return await send()
    } catch (error) {
      if (nth === tries || !(error instanceof Refused) || error.code !== 'busy') throw error
      await systemClock.sleep(betweenMs)
    }
}

function report({ counts, worst, state, because }: Run): string {
  return [
    `${String(counts.records)} records: ${String(counts.sent)} went in, ${String(counts.unchanged)} unchanged, ${String(counts.quarantined)} put aside, ${String(counts.rejected)} rejected; ${String(counts.withProblems)} with values that could not be read, ${String(counts.gone)} gone.`,
    `${String(counts.lines)} lines, ${String(counts.states)} states; ${String(counts.malformed)} lines are no message.`,
    ...counts.reasons.map((one) => `  ${String(one.records).padStart(6)} × ${one.reason}`),
    ...worst.map(
      (one) =>
        `  line ${String(one.line)}${one.stream === '' ? '' : `, ${one.stream}`}${one.key === '' ? '' : ` ${one.key}`}: ${one.reason}`,
    ),
    ...(state === 'failed' && because !== null ? [because] : []),
  ].join('\n')
}
