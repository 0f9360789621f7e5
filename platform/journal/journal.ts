/**
 * Accepted but not yet stored: an append-only file log. A record is on disk (fdatasync) before `append` resolves, so
 * acknowledged = on disk.
 */
export interface Journal {
  /** Made with the journal, 32 hexadecimal characters: positions of two journals are never confused. */
  readonly id: string
  /**
   * Appends records atomically as one group and resolves with the position of the first once the group is on disk.
   * @throws Refusal('busy') when the disk is full or failing, or too much waits for it: nothing was acknowledged, the sender may try again
   */
  append(records: readonly Uint8Array[]): Promise<bigint>
  /** Position after the last durable record: a count of records since the journal was made. */
  readonly head: bigint
  /** First position not yet confirmed as stored. */
  readonly stored: bigint
  /**
   * The next batch for the store. Its boundaries are sealed on disk before it is handed out, so that after a crash the same
   * batch (same `token`, same records) comes again. Resolves with undefined when there is nothing within `waitMs` (or until the signal).
   */
  nextBatch(
    limit: { records: number; bytes: number },
    waitMs: number,
    signal?: AbortSignal,
  ): Promise<SealedBatch | undefined>
  /** The batch is stored: the cursor moves on (durably), and segments wholly behind it may be removed. Batches are confirmed in order. */
  confirm(batch: SealedBatch): Promise<void>
  /** Reads records again from a position that is still kept, oldest first. */
  read(from: bigint, limit: number): Promise<JournalRecord[]>
  /** What health, metrics and `interlock doctor` want to know. */
  state(): JournalState
  /** Waits for what is under way, marks a clean stop and lets go of the files. */
  close(): Promise<void>
}

export interface JournalRecord {
  position: bigint
  payload: Uint8Array
}

export interface SealedBatch {
  /** Stable over restarts: the deduplication token for the store. */
  token: string
  from: bigint
  /** Exclusive. */
  to: bigint
  records: JournalRecord[]
}

export interface JournalState {
  segments: number
  /** On disk, all segments. */
  bytes: number
  /** Waiting in memory for the disk. */
  pendingBytes: number
  /** Flushes (each one fdatasync) since the start. */
  flushes: number
  /** Bytes of an unacknowledged append that were cut from the end when the journal was opened. */
  cutBytes: number
  /** Why nothing is accepted now, as a sentence; undefined when all is well. */
  trouble: string | undefined
}
