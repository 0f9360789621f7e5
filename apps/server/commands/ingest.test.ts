import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, expect, it } from 'vitest'
import { systemClock } from '../../../platform/clock/clock.ts'
import { readConfig } from '../../../platform/config/config.ts'
import { serve } from '../main.ts'
import { partsOf } from './ingest-parts.ts'
import { openStateFile } from './ingest-state.ts'
import { removeDataDirs } from '../../../platform/data-dir/remove.ts'

const folder = await mkdtemp(join(tmpdir(), 'il-ingest-'))
afterAll(() => removeDataDirs(folder))
const command = join(import.meta.dirname, '../cli.ts')
const stateFile = join(folder, 'state.json')
const most = 10_000

/** A tap of our own: customers from where the state file says, with a state after every five hundred. */
function* tap(): Generator<string> {
  const from = existsSync(stateFile) ? (JSON.parse(readFileSync(stateFile, 'utf8')) as { at: number }).at : 0
  const schema = { properties: { id: { type: 'integer' }, email: { type: 'string' }, city: { type: 'string' } } }
  yield `${JSON.stringify({ type: 'SCHEMA', stream: 'customers', key_properties: ['id'], schema })}\n`
  for (let id = from + 1; id <= most; id += 1) {
    const record = { id, email: `k${String(id)}@fjörd.example`, city: 'Malmö' }
    yield `${JSON.stringify({ type: 'RECORD', stream: 'customers', record })}\n`
    if (id % 500 === 0) yield `${JSON.stringify({ type: 'STATE', value: { at: id } })}\n`
  }
}

/** The command with its server, in a process of its own. @param dies when the state file is there, as if the power went */
async function ingest(dies: boolean): Promise<{ code: number | null; said: string }> {
  const child = spawn(
    process.execPath,
    [command, 'ingest', 'Gammal', '--data', join(folder, 'data'), '--state', stateFile],
    { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, INTERLOCK_LOG: 'silent' } },
  )
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stdout.on('data', () => {
    if (dies) child.kill('SIGKILL')
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  child.stdin.on('error', () => undefined)
  Readable.from(tap()).pipe(child.stdin)
  return { code: await ended, said }
}

it('command and server are killed in the middle; from the last state, nothing is lost and nothing doubled', async () => {
  expect((await ingest(true)).code).toBeNull()
  const { at } = JSON.parse(readFileSync(stateFile, 'utf8')) as { at: number }
  expect(at).toBeGreaterThan(0)
  expect(at).toBeLessThan(most)
  const done = await ingest(false)
  expect(done.code, done.said).toBe(0)
  expect(JSON.parse(readFileSync(stateFile, 'utf8'))).toEqual({ at: most })
  const config = readConfig({ INTERLOCK_LOG: 'silent' }, { dataDir: join(folder, 'data'), port: 0 })
  const { app, stop } = await serve(config, { demo: false, pages: false, print: () => undefined })
  try {
    await app.collect.drained()
    const [row] = await app.clickhouse.query<{ n: string; people: string }>(
      'SELECT count() AS n, uniqExact(e.traits.email::String) AS people FROM event AS e',
    )
    expect([Number(row?.n), Number(row?.people)]).toEqual([most, most])
    expect(await app.streams.list()).toMatchObject([{ name: 'customers', records: most }])
    expect((await app.streams.runs()).map((run) => run.state)).toEqual(['done', 'left'])
  } finally {
    await stop()
  }
}, 240_000)

it('what comes is cut at whole lines, is not read ahead, and an endless line takes no room', async () => {
  let read = 0
  const input = (async function* () {
    for (const piece of [
      '{"a":',
      '1}\n{"b"',
      ':2}\n',
      'x'.repeat(3_000_000),
      'y'.repeat(3_000_000),
      '\n{}',
      '\n',
      'rest',
    ]) {
      read += 1
      yield Buffer.from(await Promise.resolve(piece))
    }
  })()
  const clock = { ...systemClock, sleep: () => new Promise<void>(() => undefined) }
  const parts: { text: string; lines: number; read: number }[] = []
  for await (const part of partsOf(input, ['first'], clock))
    parts.push({ text: Buffer.from(part.body).toString(), lines: part.lines, read })
  expect(parts.map(({ lines, read }) => ({ lines, read }))).toEqual([
    { lines: 4, read: 6 },
    { lines: 2, read: 8 },
  ])
  const lines = parts
    .map((part) => part.text)
    .join('')
    .split('\n')
  expect(lines.map((line) => line.slice(0, 8))).toEqual(['first', '{"a":1}', '{"b":2}', 'xxxxxxxx', '{}', 'rest', ''])
  expect(lines[3]?.length).toBe(1_048_577)
})

it('lines that came are sent when no other comes for a second', async () => {
  let go = () => {}
  const input = (async function* () {
    yield Buffer.from('{"a":1}\n')
    await new Promise<void>((resolve) => (go = resolve))
    yield Buffer.from('{"b":2}\n')
  })()
  const parts = partsOf(input, [], { sleep: () => Promise.resolve() })
  expect((await parts.next()).value).toMatchObject({ lines: 1 })
  go()
  expect((await parts.next()).value).toMatchObject({ lines: 1 })
  expect((await parts.next()).done).toBe(true)
})

it('the state of an Airbyte source is the last of each stream, also of those that did not speak this time', () => {
  const path = join(folder, 'airbyte.json')
  const of = (name: string, at: number) => ({
    type: 'STREAM',
    stream: { stream_descriptor: { name }, stream_state: { at } },
  })
  openStateFile(path).keep([
    { format: 'airbyte', state: of('users', 1) },
    { format: 'airbyte', state: of('orders', 1) },
  ])
  const lines = openStateFile(path).keep([{ format: 'airbyte', state: of('users', 2) }])
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual([of('orders', 1), of('users', 2)])
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([{ type: 'STATE', state: of('users', 2) }])
  expect(() => openStateFile(join(folder, 'nowhere', 'x.json'))).toThrow(/no folder/)
  openStateFile(path).keep([{ format: 'airbyte', state: { type: 'LEGACY', data: { at: 3 } } }])
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ at: 3 })
})
