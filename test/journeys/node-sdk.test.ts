import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../platform/clock/clock.ts'
import { createInterlock, type InterlockError, type Options } from '../../sdk/node/src/index.ts'
import { aCollectServer, type CollectServer } from '../make/collect-server.ts'
import { aTrackedSite, type TrackedSite } from '../make/tracked-site.ts'

/** The Node SDK against the real collecting server, and as it is built in processes that are killed. */

let server: CollectServer
let door: TrackedSite
let address = ''
let folder = ''
let built = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'interlock-node-sdk-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  server = await aCollectServer()
  afterAll(() => server.close())
  await server.app.listen({ host: '127.0.0.1', port: 0 })
  address = `http://127.0.0.1:${String((server.app.server.address() as AddressInfo).port)}`
  door = await aTrackedSite(address, server.source.writeKey, () => '')
  afterAll(() => {
    door.close()
  })
  const root = join(import.meta.dirname, '../..')
  const words = ['node_modules/typescript/bin/tsc', '-p', 'sdk/node', '--outDir', join(folder, 'dist')]
  execFileSync(process.execPath, words, { cwd: root })
  built = join(folder, 'dist', 'index.js')
}, 120_000)

const told: InterlockError[] = []
const aClient = (options: Partial<Options> = {}) =>
  createInterlock({
    writeKey: server.source.writeKey,
    host: door.door,
    onError: (error) => told.push(error),
    ...options,
  })
async function stored(name: string) {
  await server.collect.drained()
  const rows = await server.clickhouse.query<{ number: string; message: string; type: string }>(
    'SELECT properties.number::String AS number, message_id AS message, type FROM event WHERE name = {name:String} ORDER BY time, number',
    { name },
  )
  return rows
}
const aSpool = () => mkdtemp(join(folder, 'spool-'))

/** A process of its own with the built SDK. */
function aProcess(spool: string, mode: 'on' | 'drain' | 'forget' | 'close', host = door.door) {
  const program = join(import.meta.dirname, '../make/spooling-client.ts')
  const child = spawn(process.execPath, [program, built, host, server.source.writeKey, spool, mode], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  let wrong = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (wrong += chunk.toString()))
  const gone = new Promise<{ code: number | null; lines: string[]; wrong: string }>((resolve) => {
    child.on('close', (code) => {
      resolve({ code, lines: text.split('\n').slice(0, -1), wrong })
    })
  })
  return {
    lines: () => text.split('\n').slice(0, -1),
    kill() {
      child.kill('SIGKILL')
      return gone
    },
    gone,
  }
}

describe('the Node SDK', () => {
  it('sends each kind of call, and each is stored once', async () => {
    const client = aClient()
    const when = new Date(Date.now() - 86_400_000)
    await client.identify({ userId: 'åsa', traits: { email: 'asa@il.example', born: new Date(0) } })
    await client.track({ userId: 'åsa', event: 'Bestilt', properties: { number: 1 }, timestamp: when })
    await client.page({ anonymousId: 'x', name: 'Forside', category: 'Shop', properties: { number: 2 } })
    await client.screen({ anonymousId: 'x', name: 'Forside', properties: { number: 3 } })
    await client.group({ userId: 'åsa', groupId: 'firma', traits: { name: 'Åsa AB' } })
    await client.alias({ userId: 'åsa', previousId: 'x' })
    // The same message twice is one event.
    const own = { userId: 'åsa', event: 'Egen', messageId: 'order-1', properties: { number: 4 } }
    expect([await client.track(own), await client.track(own)]).toEqual(['order-1', 'order-1'])
    expect(await client.close()).toBe(0)
    expect(told).toEqual([])
    expect(door.sent().map((one) => one.type)).toEqual([
      'identify',
      'track',
      'page',
      'screen',
      'group',
      'alias',
      'track',
      'track',
    ])
    expect(await stored('Bestilt')).toMatchObject([{ number: '1', type: 'track' }])
    expect((await stored('Forside')).map((row) => row.type).sort()).toEqual(['page', 'screen'])
    expect(await stored('Egen')).toMatchObject([{ number: '4', message: 'order-1' }])
    await expect(client.track(own)).rejects.toMatchObject({ code: 'closed' })
    expect(told.splice(0)).toMatchObject([{ code: 'closed' }])
  })

  it('sends ten thousand, packed, and each is stored once', async () => {
    const client = aClient({ gzip: true, host: address })
    for (let number = 0; number < 10_000; number++)
      void client.track({ userId: `u${String(number % 500)}`, event: 'Mange', properties: { number } })
    expect(await client.close()).toBe(0)
    const rows = await stored('Mange')
    expect([rows.length, new Set(rows.map((row) => row.number)).size]).toEqual([10_000, 10_000])
  }, 120_000)

  it('tries again with the same message id, and the event is stored once', async () => {
    door.refuse.push({ status: 503, headers: { 'retry-after': '1' } }, { status: 429 })
    const before = door.asked.length
    const client = aClient()
    await client.track({ userId: 'åsa', event: 'Igen', properties: { number: 1 } })
    expect(await client.flush()).toBe(0)
    const tries = door.asked.slice(before)
    expect(tries.map((one) => one.status)).toEqual([503, 429, 200])
    expect(new Set(tries.map((one) => one.events[0]?.messageId)).size).toBe(1)
    expect(await stored('Igen')).toHaveLength(1)
    await client.close()
  })

  it('says which events the server does not want, and that it put one aside', async () => {
    const nobody = aClient({ writeKey: 'nobody' })
    await nobody.track({ userId: 'åsa', event: 'Ingen' })
    expect(await nobody.close()).toBe(0)
    expect(told.splice(0)).toMatchObject([{ code: 'refused', status: 401, events: [{ event: 'Ingen' }] }])
    const client = aClient()
    await client.track({ userId: 'å'.repeat(2_000), event: 'Lang' })
    await client.close()
    expect(told.splice(0)).toMatchObject([{ code: 'put_aside', events: [{ event: 'Lang' }] }])
  })

  it('that is closed while the server is away says what is lost; with a spool nothing is, and the next one sends it', async () => {
    const away = 'http://127.0.0.1:1'
    const memory = aClient({ host: away })
    await memory.track({ userId: 'åsa', event: 'Tabt' })
    expect(await memory.close({ timeoutMs: 50 })).toBe(1)
    expect(told.splice(0)).toMatchObject([{ code: 'not_sent', events: [{ event: 'Tabt' }] }])

    const spool = await aSpool()
    const first = aClient({ host: away, spool })
    await first.track({ userId: 'åsa', event: 'Gemt', properties: { number: 7 } })
    expect(await first.close({ timeoutMs: 50 })).toBe(1)
    expect(told).toEqual([])
    const second = aClient({ spool })
    expect(await second.close()).toBe(0)
    expect(await stored('Gemt')).toMatchObject([{ number: '7' }])
    expect(await readdir(spool)).toEqual(['lock'])
  })
})

describe('the Node SDK, as it is built, in a process', () => {
  it('that nobody closes ends by itself; one that is closed has sent, and its exit waits for that', async () => {
    const forgot = await aProcess('', 'forget').gone
    expect([forgot.code, forgot.wrong]).toEqual([0, ''])
    door.refuse.push({ status: 503, headers: { 'retry-after': '1' } })
    const closed = await aProcess('', 'close').gone
    expect(closed).toMatchObject({ code: 0, wrong: '' })
    expect(closed.lines).toContain('left 0')
    expect((await stored('Killed')).map((row) => `resolved ${row.number}`)).toContain(closed.lines[0])
  })

  it('has its spool alone: a second process is refused with the reason', async () => {
    const spool = await aSpool()
    const first = aProcess(spool, 'on')
    await expect.poll(() => first.lines().length, { timeout: 20_000 }).toBeGreaterThan(0)
    const second = await aProcess(spool, 'drain').gone
    expect(second.code).not.toBe(0)
    expect(second.wrong).toContain(`has the spool ${spool}. Give each process a folder of its own.`)
    await first.kill()
    expect((await aProcess(spool, 'drain').gone).lines).toEqual(['left 0'])
  }, 60_000)

  it('that is killed twenty times while it sends loses no event whose promise resolved, and none is stored twice', async () => {
    const spool = await aSpool()
    const resolved: string[] = []
    for (let life = 0; life < 20; life++) {
      const child = aProcess(spool, 'on')
      await expect.poll(() => child.lines().length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(1 + life)
      // At another moment of its work each time.
      await systemClock.sleep(life * 7)
      const { lines } = await child.kill()
      resolved.push(...lines.filter((line) => line.startsWith('resolved ')).map((line) => line.slice(9)))
      expect(lines.filter((line) => line.startsWith('error'))).toEqual([])
    }
    expect((await aProcess(spool, 'drain').gone).lines).toEqual(['left 0'])
    const rows = await stored('Killed')
    const arrived = new Set(rows.map((row) => row.number))
    expect(resolved.length).toBeGreaterThan(200)
    expect(resolved.filter((number) => !arrived.has(number))).toEqual([])
    expect(rows.length).toBe(arrived.size)
  }, 300_000)
})
