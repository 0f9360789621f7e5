import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { load } from '../parts/load.ts'
import { startBare } from './interlock.ts'
import type { Peer } from './peer.ts'

let folder: string
let bare: Peer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'il-bare-'))
  bare = await startBare(folder, '')
})

afterAll(async () => {
  await bare.stop()
  await rm(folder, { recursive: true, force: true })
})

const post = (path: string, body: string) =>
  fetch(`http://127.0.0.1:${String(bare.port)}${path}`, { method: 'POST', body }).then((reply) => reply.status)
const lines = async () => (await readFile(join(folder, 'bare'), 'utf8')).split('\n').filter((line) => line !== '')

it('has an event in its file when it answers, so that the probe measures a durable write', async () => {
  expect(await post('/v1/track', '{"type":"track","messageId":"first"}')).toBe(200)
  expect(await lines()).toEqual(['{"type":"track","messageId":"first"}'])
})

it('refuses what is no event, so that the probe measures a check too', async () => {
  const before = await lines()
  expect(await post('/v1/track', '{"type":"track"')).toBe(400)
  expect(await post('/v1/track', '{"type":"sing","messageId":"m"}')).toBe(400)
  expect(await post('/v1/batch', '{"batch":[{"type":"track","messageId":"m"},{"type":"track"}]}')).toBe(400)
  expect(await lines()).toEqual(before)
})

it('keeps every event that the load saw acknowledged, however many connections send at once', async () => {
  const before = (await lines()).length
  const { requests, events } = await load(bare, { connections: 8, eventsPerRequest: 5 }, 0.2)
  const kept = (await lines()).slice(before)
  expect(kept).toHaveLength(requests)
  const ids = kept.flatMap((line) =>
    (JSON.parse(line) as { batch: { messageId: string }[] }).batch.map((one) => one.messageId),
  )
  expect(new Set(ids).size).toBe(events)
})
