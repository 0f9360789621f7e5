import type { Id } from '../../../lib/ids/ids.ts'
import type { Tool } from '../../tools/contract.ts'
import type { Destination } from '../contract.ts'
import { kindNamed } from './kinds/index.ts'
import type { DestinationRow } from './store.ts'

export interface Seen {
  tool: Tool | undefined
  waiting: number
  oldestMs: number | undefined
  dead: number
  dropped: number
  request: Destination['request']
  nowMs: number
}

/** A destination as the API shows it: settings without secrets, and a sentence that says how it stands. */
export function viewOf(row: DestinationRow, seen: Seen): Destination {
  const kind = kindNamed(row.kind)
  return {
    id: row.id as Id<'destination'>,
    name: row.name,
    kind: row.kind,
    kindName: kind?.name ?? row.kind,
    tool: {
      id: row.tool_id as Id<'tool'>,
      name: seen.tool?.name ?? 'a tool that is gone',
      region: seen.tool?.region ?? '',
    },
    settings: row.settings,
    secrets: (kind?.form ?? [])
      .filter((setting) => setting.type === 'secret')
      .map(({ name }) => {
        const held = (row.secrets[name] ?? []).filter((one) => one.until === null || Date.parse(one.until) > seen.nowMs)
        return { name, set: held.length > 0, olderUntil: held.find((one) => one.until !== null)?.until ?? null }
      }),
    contract: row.contract,
    version: row.version,
    state: row.state,
    sentence: sentenceOf(row, seen),
    because: row.because,
    request: seen.request,
    counts: {
      delivered: row.delivered,
      waiting: seen.waiting,
      deadLetters: seen.dead,
      expired: row.expired,
      dropped: seen.dropped,
    },
    oldestWaitingAt: seen.oldestMs === undefined ? null : new Date(seen.oldestMs).toISOString(),
    lastDeliveredAt: row.last_delivered_at?.toISOString() ?? null,
    failingSince: row.failing_since?.toISOString() ?? null,
    changedAt: row.changed_at.toISOString(),
    changedBy: row.by_name ?? 'Interlock',
  }
}

const count = (value: number) => value.toLocaleString('en-GB')
const moment = (at: Date) => `on ${at.toISOString().slice(0, 16).replace('T', ' at ')} UTC`
const events = (value: number) => `${count(value)} ${value === 1 ? 'event' : 'events'}`

function sentenceOf(row: DestinationRow, { waiting, dead, dropped }: Seen): string {
  const wait = waiting === 0 ? '' : ` ${events(waiting)} ${waiting === 1 ? 'waits' : 'wait'}.`
  const letters = dead === 0 ? '' : ` ${events(dead)} could not be delivered.`
  const stayed = dropped === 0 ? '' : ` ${count(dropped)} values stayed here, because the contract does not name them.`
  switch (row.state) {
    case 'draft':
      return 'A draft. Nothing leaves until a request for it has its keys and is launched.'
    case 'halted':
      return `Stopped: ${row.because ?? 'the agreement ended'}. Nothing leaves until it is agreed again.${wait}${letters}`
    case 'paused':
      return `Paused: ${row.because ?? 'somebody paused it'}${row.because?.endsWith('.') === true ? '' : '.'}${wait}${letters}`
    case 'live':
      if (row.failing_since !== null)
        return `It failed first ${moment(row.failing_since)} and took nothing since; it is tried again.${wait}${letters}`
      return row.delivered === 0
        ? `Agreed and live.${wait === '' ? ' It waits for the first event.' : wait}${letters}`
        : `Live: ${events(row.delivered)} delivered.${wait}${letters}${stayed}`
  }
}
