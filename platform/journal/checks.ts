import { JournalDamage } from './damage.ts'
import type { JournalFiles } from './files.ts'
import { readJournal } from './replay.ts'
import { neededSpace } from './space.ts'

/** One line of `interlock doctor`. */
export interface JournalCheck {
  name: string
  ok: boolean
  /** What was seen, as a sentence with its figures. */
  finding: string
  /** What to do; empty when all is well. */
  mend: string
}

/** Looks at a journal and changes nothing; may be run beside a server that is using it. */
export async function checkJournal(files: JournalFiles): Promise<JournalCheck[]> {
  return [await checkFolder(files), await checkSpace(files), await checkRecords(files)]
}

async function checkFolder(files: JournalFiles): Promise<JournalCheck> {
  const name = 'journal folder'
  try {
    await files.writable()
    return { name, ok: true, finding: `${files.path} can be read and written.`, mend: '' }
  } catch (error) {
    const finding = `${files.path} cannot be written: ${error instanceof Error ? error.message : String(error)}.`
    return {
      name,
      ok: false,
      finding,
      mend: `Give the user that runs Interlock the folder: chown -R <user> ${files.path}`,
    }
  }
}

async function checkSpace(files: JournalFiles): Promise<JournalCheck> {
  const { free, total } = await files.space()
  const needed = neededSpace(total)
  const finding = `${gibibytes(free)} free of ${gibibytes(total)}; the journal stops below ${gibibytes(needed)}.`
  return {
    name: 'journal space',
    ok: free >= needed,
    finding,
    mend:
      free >= needed ? '' : 'Free space on this disk; events are accepted again within a second, without a restart.',
  }
}

async function checkRecords(files: JournalFiles): Promise<JournalCheck> {
  const name = 'journal records'
  try {
    const replayed = await readJournal(files)
    if (replayed === undefined) return { name, ok: true, finding: 'The journal is empty.', mend: '' }
    const { seals, head, cutBytes, segments } = replayed
    const tail = cutBytes === 0 ? '' : ` ${cutBytes} bytes of an unacknowledged append at the end will be cut.`
    const finding = `${segments.length} segments, every checksum holds; ${head - seals.stored} of ${head} records wait for the store.${tail}`
    return { name, ok: true, finding, mend: '' }
  } catch (error) {
    if (!(error instanceof JournalDamage)) throw error
    const finding = `${error.file} is damaged at byte ${error.offset}; every record before position ${error.readableTo} is whole.`
    const mend =
      'Look at the disk first (dmesg, smartctl). Restore the file from a backup, or run "interlock journal mend": it keeps every record that can be proven whole and sets the rest aside.'
    return { name, ok: false, finding, mend }
  }
}

const gibibytes = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GiB`
