import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { InterlockError } from './errors.ts'
import { settle, type Options } from './options.ts'
import { createSender } from './sender.ts'
import type { Answer, Surroundings } from './surroundings.ts'
import { waitInMemory } from './waiting.ts'

/** When it sends and what it makes of answers, with the clock stopped and a server that answers by heart. */

const noon = Date.parse('2026-03-10T12:00:00.000Z')
interface Asked {
  atMs: number
  events: string[]
  sentAt: string
  headers: Record<string, string>
}
type Reply = Partial<Answer> | 'silence' | ((events: string[]) => Partial<Answer>)

function aClient(replies: Reply[] = [], options: Partial<Options> = {}) {
  let nowMs = noon
  let timers: { atMs: number; deed: () => void; held: boolean }[] = []
  const asked: Asked[] = []
  const told: InterlockError[] = []
  const around: Surroundings = {
    nowMs: () => nowMs,
    chance: () => 1,
    newId: () => 'id',
    after(ms, deed) {
      const timer = { atMs: nowMs + ms, deed, held: false }
      timers.push(timer)
      return {
        cancel() {
          timers = timers.filter((one) => one !== timer)
        },
        hold(on) {
          timer.held = on
        },
      }
    },
    post(_url, headers, body, signal) {
      const text = typeof body === 'string' ? body : gunzipSync(body).toString()
      const { batch, sentAt } = JSON.parse(text) as { batch: { n: string }[]; sentAt: string }
      const events = batch.map((one) => one.n)
      asked.push({ atMs: nowMs - noon, events, sentAt, headers })
      const reply = replies.shift() ?? {}
      if (reply === 'silence')
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('no answer'))
          })
        })
      return Promise.resolve({
        status: 200,
        retryAfter: null,
        text: '',
        ...(typeof reply === 'function' ? reply(events) : reply),
      })
    },
  }
  const settled = settle({ writeKey: 'key', host: 'https://data.example.com', ...options })
  const waiting = waitInMemory(settled.queueEvents, settled.queueBytes)
  const sender = createSender({ waiting, settled, around, tell: (error) => told.push(error) })
  const quiet = async () => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  }
  return {
    asked,
    told,
    waiting,
    sender,
    quiet,
    held: () => timers.filter((timer) => timer.held).length,
    async say(...names: string[]) {
      for (const n of names) {
        await waiting.push(JSON.stringify({ n, messageId: `message-${n}` }))
        sender.taken()
      }
      await quiet()
    },
    async pass(ms: number) {
      const until = nowMs + ms
      for (;;) {
        const next = timers.toSorted((a, b) => a.atMs - b.atMs)[0]
        if (next === undefined || next.atMs > until) break
        nowMs = next.atMs
        timers = timers.filter((timer) => timer !== next)
        next.deed()
        await quiet()
      }
      nowMs = until
    },
  }
}
const names = (asked: readonly Asked[]) => asked.map((one) => one.events.join(''))

describe('a batch leaves', () => {
  it('when its first event has waited long enough', async () => {
    const client = aClient()
    await client.say('a')
    await client.pass(999)
    await client.say('b')
    expect(client.asked).toEqual([])
    await client.pass(1)
    expect(names(client.asked)).toEqual(['ab'])
    expect(client.waiting.events()).toBe(0)
  })
  it('at once when it is full, by number or by bytes', async () => {
    const byNumber = aClient([], { batchEvents: 3 })
    await byNumber.say('a', 'b')
    expect(byNumber.asked).toEqual([])
    await byNumber.say('c')
    expect(names(byNumber.asked)).toEqual(['abc'])
    const byBytes = aClient([], { batchBytes: 50 })
    await byBytes.say('a')
    expect(byBytes.asked).toEqual([])
    await byBytes.say('b')
    expect(names(byBytes.asked)).toEqual(['a', 'b'])
  })
  it('with the key, the time it was sent and the name of the client, and packed when it is told so', async () => {
    const client = aClient([], { gzip: true })
    await client.say('a')
    await client.pass(1_000)
    expect(client.asked[0]).toMatchObject({
      sentAt: '2026-03-10T12:00:01.000Z',
      headers: { authorization: `Basic ${btoa('key:')}`, 'content-encoding': 'gzip' },
    })
  })
  it('never beside another: what comes meanwhile is the next one', async () => {
    const client = aClient(['silence'], { intervalMs: 0, timeoutMs: 5_000 })
    await client.say('a')
    await client.say('b', 'c')
    expect(names(client.asked)).toEqual(['a'])
    await client.pass(20_000)
    expect(names(client.asked)).toEqual(['a', 'abc'])
  })
})

describe('what goes wrong on the way', () => {
  it('is tried again after growing pauses, with the same message ids, and told nobody', async () => {
    const client = aClient([{ status: 503 }, { status: 429 }, { status: 408 }, 'silence'], { intervalMs: 0 })
    await client.say('a')
    await client.pass(100_000)
    expect(names(client.asked)).toEqual(['a', 'a', 'a', 'a', 'a'])
    // 1 s, 2 s and 4 s; then 15 s without an answer and 8 s.
    expect(client.asked.map((one) => one.atMs)).toEqual([0, 1_000, 3_000, 7_000, 30_000])
    expect(client.told).toEqual([])
    expect(client.waiting.events()).toBe(0)
  })
  it('waits as long as the server asks, also while somebody waits for it', async () => {
    const client = aClient([{ status: 429, retryAfter: '30' }], { intervalMs: 0 })
    await client.say('a')
    const flushed = client.sender.flush()
    await client.pass(29_999)
    expect(client.asked).toHaveLength(1)
    await client.pass(1)
    expect(client.asked).toHaveLength(2)
    expect(await flushed).toBe(0)
  })
  it('begins with a short pause again once something was taken', async () => {
    const client = aClient([{ status: 503 }, { status: 503 }, {}, { status: 503 }], { intervalMs: 0 })
    await client.say('a')
    await client.pass(10_000)
    await client.say('b')
    await client.pass(10_000)
    expect(client.asked.map((one) => one.atMs)).toEqual([0, 1_000, 3_000, 10_000, 11_000])
  })
})

describe('what the server does not want', () => {
  it('is dropped and told, with the events and the reason', async () => {
    const client = aClient([{ status: 401, text: '{"title":"Unknown key","detail":"No source has this write key."}' }])
    await client.say('a', 'b')
    await client.pass(1_000)
    expect(client.told).toMatchObject([
      {
        code: 'refused',
        status: 401,
        message: 'Interlock refused 2 events for good (401). No source has this write key.',
        events: [{ n: 'a' }, { n: 'b' }],
      },
    ])
    expect(client.waiting.events()).toBe(0)
  })
  it('is found when it is one of many: the others arrive', async () => {
    const poison = (events: string[]) => (events.includes('e') ? { status: 400, text: '<html>' } : {})
    const client = aClient(Array.from({ length: 50 }, () => poison))
    await client.say('a', 'b', 'c', 'd', 'e', 'f', 'g')
    await client.pass(1_000)
    expect(client.told.map((error) => error.events)).toMatchObject([[{ n: 'e' }]])
    expect(client.waiting.events()).toBe(0)
    const arrived = client.asked.filter((one) => !one.events.includes('e')).flatMap((one) => one.events)
    expect(arrived.join('')).toBe('abcdfg')
  })
  it('is told too when the server took it and put it aside', async () => {
    const client = aClient([{ text: '{"success":true,"quarantined":[{"index":1,"reason":"no_event_name"}]}' }])
    await client.say('a', 'b')
    await client.pass(1_000)
    expect(client.told).toMatchObject([
      { code: 'put_aside', message: 'Interlock put 1 event into quarantine: no_event_name.', events: [{ n: 'b' }] },
    ])
  })
})

describe('flush', () => {
  it('sends at once and resolves when what was said until then is over', async () => {
    const client = aClient()
    expect(await client.sender.flush()).toBe(0)
    await client.say('a')
    expect(await client.sender.flush()).toBe(0)
    expect(client.asked).toMatchObject([{ atMs: 0, events: ['a'] }])
  })
  it('gives up when it is told to, and says how many wait', async () => {
    const client = aClient([{ status: 503, retryAfter: '60' }])
    await client.say('a', 'b')
    const left = client.sender.flush(5_000)
    await client.quiet()
    await client.pass(5_000)
    expect(await left).toBe(2)
  })
  it('holds the process while it waits, and nothing else does', async () => {
    const client = aClient([{ status: 503, retryAfter: '60' }])
    await client.say('a')
    expect(client.held()).toBe(0)
    const flushed = client.sender.flush()
    await client.quiet()
    expect(client.held()).toBe(1)
    await client.pass(60_000)
    await flushed
    expect(client.held()).toBe(0)
  })
})

describe('stop', () => {
  it('gives up the request that has no answer, and sends nothing more', async () => {
    const client = aClient(['silence'], { intervalMs: 0 })
    await client.say('a')
    await client.sender.stop()
    await client.say('b')
    await client.pass(100_000)
    expect(names(client.asked)).toEqual(['a'])
    expect(client.waiting.events()).toBe(2)
  })
})
