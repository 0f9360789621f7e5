import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { aCollectServer, type CollectServer } from '../../../test/make/collect-server.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { createIds, systemRandom } from '../../../platform/random/random.ts'
import { createAudit } from '../../audit/server/index.ts'
import { createStreams, type Streams } from './index.ts'

const caller: Caller = {
  kind: 'person',
  accountId: 'account_ивайло' as never,
  name: 'Ивайло',
  side: 'it',
  roles: [],
  permissions: new Set(['data.write']),
  sessionId: undefined,
  steppedUpAtMs: undefined,
}
let server: CollectServer
type Accept = CollectServer['collect']['accept']

/** One process. `accept` may make it die at a certain moment. */
const aLife = (accept: Accept = (...of) => server.collect.accept(...of)): Streams =>
  createStreams({
    postgres: server.postgres,
    clock: systemClock,
    ids: createIds(systemClock, systemRandom),
    audit: createAudit({ postgres: server.postgres, clock: systemClock }),
    sources: server.sources,
    collect: { accept },
  })
const schema = (stream: string, properties: Record<string, object> = {}, key = ['id']) => ({
  type: 'SCHEMA',
  stream,
  key_properties: key,
  schema: {
    properties: { id: { type: 'integer' }, email: { type: 'string' }, city: { type: 'string' }, ...properties },
  },
})
const record = (stream: string, id: number | null, city: string, more: object = {}) => ({
  type: 'RECORD',
  stream,
  record: { id, email: `${stream}${String(id)}@fjörd.example`, city },
  ...more,
})
const state = (value: unknown) => ({ type: 'STATE', value })
const text = (lines: readonly (object | string)[]) =>
  Readable.from([
    Buffer.from(lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')),
  ])

/** A whole run in one part. */
async function through(lines: readonly (object | string)[], change: { letGo?: 'yes' } = {}, streams = aLife()) {
  const { run, states, says } = await streams.take(
    caller,
    { sourceId: server.source.id, from: 1, end: 'well', ...change },
    text(lines),
  )
  const { records, sent, unchanged, quarantined, rejected, malformed, gone } = run.counts
  expect(records).toBe(sent + unchanged + quarantined + rejected)
  return { run, states: states.map((one) => one.state), says, sent, unchanged, rejected, malformed, gone }
}
/** What was said of one who has this number in the stream, in order: cities, and † for gone. */
async function said(stream: string, id: number): Promise<string[]> {
  await server.collect.drained()
  const rows = await server.clickhouse.query<{ what: string }>(
    `SELECT if(e.type = 'track', '†', e.traits.address.city::String) AS what FROM event AS e
      WHERE arrayExists(one -> one.value = {id:String}, e.external_ids)
        AND (e.traits.email::String = {email:String} OR e.properties.stream::String = {stream:String}) ORDER BY e.position`,
    { id: String(id), email: `${stream}${String(id)}@fjörd.example`, stream },
  )
  return rows.map((row) => row.what)
}

beforeAll(async () => {
  server = await aCollectServer()
})
afterAll(() => server.close())

it('records come in once, the same again are unchanged, and one that went back to what it was is said again', async () => {
  const lines = (city: string) => [
    schema('customers'),
    record('customers', 1, city),
    record('customers', 2, 'Köln'),
    state(1),
  ]
  expect(await through(lines('Malmö'))).toMatchObject({ sent: 2, states: [1], run: { state: 'done' } })
  expect(await through(lines('Malmö'))).toMatchObject({ sent: 0, unchanged: 2 })
  expect(await through(lines('Lund'))).toMatchObject({ sent: 1, unchanged: 1 })
  expect(await through(lines('Malmö'))).toMatchObject({ sent: 1, unchanged: 1 })
  expect(await said('customers', 1)).toEqual(['Malmö', 'Lund', 'Malmö'])
  const [stream] = (await aLife().list()).filter((one) => one.name === 'customers')
  expect(stream).toMatchObject({ key: ['id'], records: 2, decidedBy: null })
  expect(stream?.columns.map((column) => column.meaning)).toMatchObject([
    { kind: 'identifier', type: 'crm_id' },
    { kind: 'identifier', type: 'email' },
    { kind: 'trait', name: 'address.city' },
  ])
})

it('the same key twice in one part is said twice, in order', async () => {
  expect(
    await through([schema('persons'), ...['Malmö', 'Lund', 'Lund'].map((city) => record('persons', 71, city))]),
  ).toMatchObject({ sent: 2, unchanged: 1 })
  expect(await said('persons', 71)).toEqual(['Malmö', 'Lund'])
})

it('a property that turns up later leaves the records without it unchanged', async () => {
  await through([schema('members'), record('members', 1, 'Malmö'), record('members', 2, 'Lund')])
  const later = record('members', 2, 'Lund')
  const withMore = { ...later, record: { ...later.record, shoeSize: 43 } }
  expect(await through([record('members', 1, 'Malmö'), withMore])).toMatchObject({ unchanged: 1, sent: 1 })
  expect(await through([record('members', 1, 'Malmö'), withMore])).toMatchObject({ unchanged: 2, sent: 0 })
})

it('lines that are no message are counted with their numbers, and the rest goes in', async () => {
  const done = await through([
    'INFO: starting',
    schema('contacts'),
    '{"type":"RECORD","stream":"contacts","rec',
    record('contacts', 1, 'Malmö'),
    record('contacts', null, 'Lund'),
    '',
  ])
  expect(done).toMatchObject({ sent: 1, rejected: 1, malformed: 2 })
  expect(done.run.worst).toMatchObject([
    { line: 1, reason: 'no JSON' },
    { line: 3, reason: 'no JSON' },
    { line: 5, stream: 'contacts', reason: 'a property of the key is empty' },
  ])
  expect((await through(Array.from({ length: 500 }, () => 'noise'))).run).toMatchObject({
    counts: { malformed: 500, reasons: [{ records: 500 }] },
  })
})

it('a stream in which nothing says whose a record is stops with the question, keeps no state, and may be left out', async () => {
  const orders = {
    type: 'SCHEMA',
    stream: 'orders',
    key_properties: ['id'],
    schema: { properties: { id: {}, total: {} } },
  }
  const lines = [orders, { type: 'RECORD', stream: 'orders', record: { id: 1, total: 9 } }, state('after the orders')]
  await expect(through(lines)).rejects.toThrow(/“orders” says whose record/)
  const stream = (await aLife().list()).find((one) => one.name === 'orders')
  if (stream === undefined) throw new Error('no stream')
  expect((await aLife().runs())[0]).toMatchObject({ state: 'failed', counts: { records: 0 } })
  await expect(aLife().decide(caller, stream.id, { columns: [], key: ['id'], leftOut: false })).rejects.toThrow(
    /identifier/,
  )
  await aLife().decide(caller, stream.id, { columns: [], key: ['id'], leftOut: true })
  expect(await through(lines)).toMatchObject({ rejected: 1, states: ['after the orders'] })
})

it('what a person decided about a property stays when the schema comes again', async () => {
  const address = { type: 'object', properties: { zip: { type: 'string' } } }
  await through([schema('leads', { shirt: { type: 'string' }, updated_at: { format: 'date-time' }, address })])
  const stream = (await aLife().list()).find((one) => one.name === 'leads')
  if (stream === undefined) throw new Error('no stream')
  expect(stream.columns.slice(-2).map((column) => [column.name, column.meaning])).toEqual([
    ['updated_at', { kind: 'ignore' }],
    ['address.zip', { kind: 'trait', name: 'address.postalCode' }],
  ])
  const meaning = { kind: 'trait', name: 'size' } as const
  await aLife().decide(caller, stream.id, {
    columns: [{ name: 'shirt', type: 'text', meaning }],
    key: ['email'],
    leftOut: false,
  })
  await through([schema('leads', { shirt: { type: 'string' }, more: { type: 'string' } })])
  const after = await aLife().get(stream.id)
  expect(after).toMatchObject({ key: ['email'], decidedBy: 'Ивайло' })
  expect(after.columns.map((column) => [column.name, column.meaning.kind])).toContainEqual(['more', 'trait'])
  expect(after.columns.find((column) => column.name === 'shirt')?.meaning).toEqual(meaning)
})

it('a property that says whether people agreed is only taken with what they agreed to', async () => {
  await through([schema('members', { news: { type: 'boolean' } })])
  const stream = (await aLife().list()).find((one) => one.name === 'members')
  if (stream === undefined) throw new Error('no stream')
  const decided = (topic?: string) =>
    aLife().decide(caller, stream.id, {
      columns: [
        { name: 'news', type: 'boolean', meaning: { kind: 'consent', part: 'state', ...(topic && { topic }) } },
      ],
      key: ['email'],
      leftOut: false,
    })
  await expect(decided()).rejects.toThrow(/“news” says whether people agreed, but not to what/)
  expect((await decided('newsletter')).decidedBy).toBe('Ивайло')
})

it('a record that a tap marks as deleted is said to be gone', async () => {
  const lines = (gone: string | null) => [
    schema('users', { _sdc_deleted_at: { type: ['null', 'string'], format: 'date-time' } }),
    { type: 'RECORD', stream: 'users', record: { ...record('users', 51, 'Malmö').record, _sdc_deleted_at: gone } },
  ]
  await through(lines(null))
  expect(await through(lines('2026-11-25T00:00:00Z'))).toMatchObject({ sent: 1, gone: 1 })
  expect(await said('users', 51)).toEqual(['Malmö', '†'])
})

it('with a version, those that did not come again are gone; when that is most of them, a person is asked first', async () => {
  const version = (of: number) => ({ version: of })
  const all = (of: number, ids: readonly number[]) => [
    schema('people'),
    { type: 'ACTIVATE_VERSION', stream: 'people', version: of },
    ...ids.map((id) => record('people', id, 'Malmö', version(of))),
    { type: 'ACTIVATE_VERSION', stream: 'people', version: of },
    state(of),
  ]
  expect(await through(all(1, [61, 62, 63, 64]))).toMatchObject({ sent: 4, gone: 0 })
  expect(await through(all(2, [61, 62, 63]))).toMatchObject({ unchanged: 3, gone: 1 })
  expect(await said('people', 64)).toEqual(['Malmö', '†'])
  expect(await through(all(3, []))).toMatchObject({ gone: 0 })
  await expect(through(all(4, [61]))).rejects.toThrow(/2 of 3 records of the stream “people” did not come again/)
  expect(await said('people', 62)).toEqual(['Malmö'])
  expect(await through(all(4, [61]), { letGo: 'yes' })).toMatchObject({ unchanged: 1, gone: 2 })
  expect(await said('people', 62)).toEqual(['Malmö', '†'])
  const unread = [...all(5, []).slice(0, 2), 'noise', ...all(5, [61]).slice(2)]
  expect(await through(unread)).toMatchObject({ unchanged: 1, gone: 0 })
})

it('an Airbyte source without a catalog is known by the id of its records', async () => {
  const airbyte = (id: number, name: string) => ({
    type: 'RECORD',
    record: { stream: 'clients', data: { id, email: `c${String(id)}@fjörd.example`, name }, emitted_at: 1 },
  })
  const last = { type: 'STREAM', stream: { stream_descriptor: { name: 'clients' }, stream_state: { at: 2 } } }
  const done = await through([airbyte(1, 'Åsa'), airbyte(2, 'Zoë'), { type: 'STATE', state: last }])
  expect(done).toMatchObject({ sent: 2, states: [last] })
  expect(await through([airbyte(1, 'Åsa'), airbyte(2, 'Zoé')])).toMatchObject({ sent: 1, unchanged: 1 })
})

it('a part whose answer was lost is answered again and taken once; parts of a run that another replaced are refused', async () => {
  const streams = aLife()
  const { sourceId } = { sourceId: server.source.id }
  const lines = [schema('guests'), record('guests', 1, 'Malmö'), state('a')]
  const first = await streams.take(caller, { sourceId, from: 1 }, text(lines))
  const again = await streams.take(caller, { sourceId, from: 1, run: first.run.id }, text(lines))
  expect(again.states).toEqual(first.states)
  expect(again.run.counts).toEqual(first.run.counts)
  const longer = [...lines, record('guests', 2, 'Lund')]
  const more = await streams.take(caller, { sourceId, from: 1, run: first.run.id }, text(longer))
  expect(more.run.counts).toMatchObject({ lines: 4, records: 2, sent: 2, unchanged: 0 })
  await expect(streams.take(caller, { sourceId, from: 9, run: first.run.id }, text(lines))).rejects.toThrow(
    /next one is 5/,
  )
  const going = await streams.take(caller, { sourceId, from: 1 }, text(lines))
  expect(going.run.counts.unchanged).toBe(1)
  await expect(streams.take(caller, { sourceId, from: 5, run: first.run.id }, text(lines))).rejects.toThrow(
    /Another run began/,
  )
})

it('whoever dies before or after handing on says it again under the same id, and no state was told', async () => {
  const ids = Array.from({ length: 40 }, (_, index) => 900 + index)
  const lines = [schema('profiles'), ...ids.map((id) => record('profiles', id, 'Malmö')), state('all')]
  const before: Accept = () => Promise.reject(new Error('killed before'))
  const after: Accept = async (...of) => {
    await server.collect.accept(...of)
    throw new Error('killed after')
  }
  await expect(through(lines, {}, aLife(before))).rejects.toThrow('killed before')
  await expect(through(lines, {}, aLife(after))).rejects.toThrow('killed after')
  expect(await through(lines)).toMatchObject({ sent: 40, states: ['all'] })
  expect(await through(lines)).toMatchObject({ unchanged: 40 })
  await server.collect.drained()
  const rows = await server.clickhouse.query<{ n: string; people: string }>(
    `SELECT count() AS n, uniqExact(e.traits.email::String) AS people FROM event AS e WHERE e.traits.email::String LIKE 'profiles9%'`,
  )
  expect(rows.map((row) => [Number(row.n), Number(row.people)])).toEqual([[40, 40]])
})

it('while the journal is busy the same part is sent again, and is counted once', async () => {
  let busy = true
  const accept: Accept = (...of) => {
    if (busy) return Promise.reject(new Refusal('busy'))
    return server.collect.accept(...of)
  }
  const streams = aLife(accept)
  const { run } = await streams.take(caller, { sourceId: server.source.id, from: 1 }, text([schema('patients')]))
  const next = () =>
    streams.take(
      caller,
      { sourceId: server.source.id, from: 2, run: run.id, end: 'well' },
      text([record('patients', 1, 'Malmö')]),
    )
  await expect(next()).rejects.toMatchObject({ code: 'busy' })
  busy = false
  expect((await next()).run).toMatchObject({ state: 'done', counts: { records: 1, sent: 1 } })
})
