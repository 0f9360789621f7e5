import { request } from 'node:http'
import { aCorpus, mutations } from './mutations.ts'
import type { House, Part } from './house.ts'

/** How many changed requests the whole product must survive. */
const howMany = 100_000
const seed = 20_261_124

/** A corpus of requests with flipped bytes, cut and doubled pieces: whatever comes, no answer is a 5xx. */
export async function mutated(house: House): Promise<Part> {
  house.say(`${howMany.toLocaleString('en')} requests with something wrong in them …`)
  const writeKey = await house.source('Mutated', { kind: 'web' })
  const answers = new Map<number, number>()
  const next = mutations(aCorpus(writeKey), seed)
  let left = howMany
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (left-- > 0) {
        const status = await send(house.port, next())
        answers.set(status, (answers.get(status) ?? 0) + 1)
      }
    }),
  )
  return {
    judge() {
      const told = [...answers]
        .sort(([a], [b]) => a - b)
        .map(([status, count]) => `${String(status)}: ${String(count)}`)
      const held = [...answers.keys()].every((status) => status < 500)
      house.say(`Seed ${String(seed)}: ${told.join(', ')} ${held ? '✓' : '✕ an answer that blames us'}`)
      return held
    },
  }
}

function send(port: number, { path, headers, body }: ReturnType<ReturnType<typeof mutations>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method: 'POST', headers }, (answer) => {
      answer.resume()
      answer.once('end', () => {
        resolve(answer.statusCode ?? 0)
      })
    })
    asked.once('error', reject)
    asked.end(body)
  })
}
