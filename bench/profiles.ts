import { Agent, request } from 'node:http'
import { aDemoServer } from '../test/story/server.ts'

/**
 * `npx interlock bench profiles`: how many people a second the API finds by an e-mail address and tells with all their traits, and a page of what they did. The whole product
 * with the demo company in a process of its own; the questions come from this one.
 */
export const name = 'profiles'

const [connections, seconds] = [8, 8]

export async function run() {
  const server = await aDemoServer(() => undefined)
  try {
    const { port } = new URL(server.url)
    const agent = new Agent({ keepAlive: true, maxSockets: connections })
    const ask = asker(Number(port), agent)
    const signedIn = await ask('POST', '/api/sign-in', '', {
      email: 'linnea@lindqvist.example',
      password: 'interlock demo',
    })
    const cookie = signedIn.cookie
    const people: { id: string; email: string }[] = []
    for (let after = ''; people.length < 2_000;) {
      const found = JSON.parse((await ask('GET', `/api/people?after=${encodeURIComponent(after)}`, cookie)).body) as {
        people: { id: string; email: string | null }[]
        next: string | null
      }
      for (const { id, email } of found.people) if (email !== null) people.push({ id, email })
      if (found.next === null) break
      after = found.next
    }
    const by = await load(people.length, (n) =>
      ask('GET', `/api/people/by?type=email&value=${encodeURIComponent(people[n]?.email ?? '')}`, cookie),
    )
    const timeline = await load(people.length, (n) => ask('GET', `/api/people/${people[n]?.id ?? ''}/timeline`, cookie))
    const segments = await load(people.length, (n) => ask('GET', `/api/people/${people[n]?.id ?? ''}/segments`, cookie))
    agent.destroy()
    return {
      figures: {
        people_asked_for: people.length,
        by_address_per_second: Math.round(by.perSecond),
        by_address_p50_ms: by.p50,
        by_address_p99_ms: by.p99,
        timeline_per_second: Math.round(timeline.perSecond),
        timeline_p50_ms: timeline.p50,
        timeline_p99_ms: timeline.p99,
        segments_per_second: Math.round(segments.perSecond),
        segments_p50_ms: segments.p50,
        segments_p99_ms: segments.p99,
      },
      notes: [
        `${String(connections)} connections, ${String(seconds)} s each after one second that does not count: a person by e-mail address with every trait and its source; the first page of the timeline over all sources; which of the demo company's three segments the person is in now.`,
      ],
    }
  } finally {
    await server.stop()
  }
}

function asker(port: number, agent: Agent) {
  return (method: string, path: string, cookie: string, body?: object): Promise<{ cookie: string; body: string }> =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port,
          method,
          path,
          agent,
          headers: {
            'x-interlock': '1',
            cookie,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
        },
        (answer) => {
          const parts: Buffer[] = []
          answer.on('data', (part: Buffer) => parts.push(part))
          answer.on('end', () => {
            const text = Buffer.concat(parts).toString()
            if (answer.statusCode !== 200) reject(new Error(`${path} answered ${String(answer.statusCode)}: ${text}`))
            else resolve({ cookie: (answer.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '', body: text })
          })
        },
      )
      sent.on('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
}

/** Each connection asks again when it was answered. */
async function load(
  many: number,
  ask: (n: number) => Promise<unknown>,
): Promise<{ perSecond: number; p50: number; p99: number }> {
  const times: number[] = []
  let n = 0
  const until = performance.now() + (seconds + 1) * 1_000
  const from = performance.now() + 1_000
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < until) {
        const began = performance.now()
        n += 1
        await ask((n * 7) % many)
        if (began >= from) times.push(performance.now() - began)
      }
    }),
  )
  times.sort((one, other) => one - other)
  const at = (share: number) => Math.round((times[Math.floor(times.length * share)] ?? 0) * 10) / 10
  return { perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99) }
}
