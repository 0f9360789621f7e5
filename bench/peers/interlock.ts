import { join } from 'node:path'
import { aChild } from '../parts/child.ts'
import type { StartPeer } from './peer.ts'

/** Ours, as `bench collect` runs it: write key, rates, checks, checksum and journal; without handing on, as the gateway of a rival runs without its processor. */
export const startInterlock: StartPeer = async (folder) => {
  const child = await aChild<{ port: number; writeKey: string }>(join(import.meta.dirname, '../collect/server.ts'), [
    join(folder, 'data'),
    '0',
    '--acknowledge-only',
  ])
  return {
    ...child.told,
    version: 'interlock',
    accepted: 'in the journal by fdatasync before the answer',
    pids: () => [child.pid],
    stored: async () => (await child.ask<{ head: number }>('figures')).head,
    stop: () => child.stop(),
  }
}

/** The bare probe beside it. */
export const startBare: StartPeer = async (folder) => {
  const child = await aChild<{ port: number; writeKey: string }>(join(import.meta.dirname, 'bare.ts'), [
    join(folder, 'bare'),
  ])
  return {
    ...child.told,
    version: 'bare probe',
    accepted: 'in one file by fdatasync before the answer, and nothing else is done',
    pids: () => [child.pid],
    stored: () => Promise.resolve(undefined),
    stop: () => child.stop(),
  }
}
