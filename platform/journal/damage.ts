/** The journal cannot be read as it was written. Says where, what is still there, and what to do. */
export class JournalDamage extends Error {
  readonly file: string
  /** Offset of the first byte that cannot be trusted. */
  readonly offset: number
  /** Every record before this position is whole and can be read. */
  readonly readableTo: bigint
  constructor(file: string, offset: number, readableTo: number, what: string) {
    super(
      `${file} is damaged at byte ${offset}: ${what}. Every record before position ${readableTo} is whole. ` +
        'Look at the disk first (dmesg, smartctl). Then restore this file from a backup of the journal, or run ' +
        '"interlock journal mend": it keeps every record that can be proven whole and sets the damaged file aside.',
    )
    this.name = 'JournalDamage'
    this.file = file
    this.offset = offset
    this.readableTo = BigInt(readableTo)
  }
}
