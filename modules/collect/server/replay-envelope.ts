import { faultOfEvent } from './intake.ts'
import type { Envelope } from './normalise.ts'
import type { AsideRow } from './put-aside.ts'

/**
 * With what a row of the quarantine comes again: everything that came with it (its time of arrival too), looked at by the limits of today, and the name
 * of the row, so that it counts and is stored once.
 */
export function replayEnvelope(row: AsideRow, replayId: string): Envelope {
  const { fault: _before, replay: earlier, ...came } = row.envelope
  const fault = faultOfEvent(Buffer.from(row.raw))
  return {
    ...came,
    ...(fault === undefined ? {} : { fault }),
    replay: {
      journalId: row.journalId,
      position: row.position,
      reason: row.reason,
      assignedId: earlier?.assignedId ?? (row.messageId === '' ? `il-${row.journalId}-${row.position}` : row.messageId),
      replayId,
    },
  }
}
