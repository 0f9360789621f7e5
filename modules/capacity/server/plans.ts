import type { Broadcast } from '../../journeys/contract.ts'
import { beganMs } from './past.ts'

/** A campaign that brings events, or will: when, or why nobody knows. */
export interface Plan {
  broadcast: Broadcast
  /** When its mails leave or began to. */
  atMs: number | undefined
  /** Why it is not in the sum; undefined when it is. */
  because: string | undefined
  /** It did not begin yet, so it can still be moved. */
  movable: boolean
}

/** So many drafts without a time are shown. */
const timeless = 10
const tailMs = 86_400_000

/** What is planned, going out, or so young that answers still come; the next first, what has no time last. */
export function plansOf(broadcasts: readonly Broadcast[], nowMs: number, untilMs: number): Plan[] {
  const plans = broadcasts.flatMap((broadcast): Plan[] => {
    const sendMs = broadcast.sendAt === null ? undefined : Date.parse(broadcast.sendAt)
    const began = beganMs(broadcast)
    const plan = (more: Partial<Plan>): Plan[] => [
      { broadcast, atMs: undefined, because: undefined, movable: false, ...more },
    ]
    switch (broadcast.state) {
      case 'draft':
        if (sendMs === undefined) return plan({ because: 'it has no time yet' })
        if (sendMs < nowMs) return plan({ because: 'its time is past: it would leave as soon as it is launched' })
        return sendMs < untilMs ? plan({ atMs: sendMs, movable: true }) : []
      case 'live':
        if (began === undefined || began >= untilMs) return []
        return plan({ atMs: began, movable: began > nowMs })
      case 'paused':
      case 'halted':
        return plan({ because: `it is ${broadcast.state}; what is left goes on when somebody lets it` })
      case 'done':
        return began !== undefined && nowMs - began < tailMs ? plan({ atMs: began }) : []
    }
  })
  const [timed, untimed] = [
    plans.filter((one) => one.atMs !== undefined),
    plans.filter((one) => one.atMs === undefined),
  ]
  return [...timed.sort((a, b) => (a.atMs ?? 0) - (b.atMs ?? 0)), ...untimed.slice(0, timeless)]
}
