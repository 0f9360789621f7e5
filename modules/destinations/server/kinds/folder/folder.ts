import { encode, fileName, formatSetting } from '../tables.ts'
import { textOf, type DestinationKind } from '../kind.ts'

/** Files in a folder of this machine. */
export const folder: DestinationKind = {
  kind: 'folder',
  name: 'Files in a folder',
  says: 'CSV or Parquet by the hour or the day, in a folder under the data directory or one that the administrator allowed.',
  leaves: false,
  frequencies: ['hourly', 'daily'],
  lanes: 1,
  form: [
    {
      name: 'folder',
      label: 'Folder',
      says: 'A name makes a folder under “exports” in the data directory. A path from / must be allowed (INTERLOCK_EXPORT_FOLDERS).',
      type: 'text',
      required: true,
    },
    formatSetting,
  ],
  batch: () => 5_000,
  address: (settings) => textOf(settings, 'folder'),
  check(settings, allowed) {
    allowed(textOf(settings, 'folder'))
  },
  open({ settings, frequency, folder }) {
    const place = folder(textOf(settings, 'folder'))
    const format = textOf(settings, 'format')
    return {
      async deliver(events, fields) {
        const [first] = events
        if (first === undefined) return { kind: 'taken' }
        try {
          await place.put(fileName(first, frequency, format), encode(format, events, fields))
          return { kind: 'taken' }
        } catch (error) {
          const code = error instanceof Error && 'code' in error ? String(error.code) : ''
          return {
            kind: 'later',
            because:
              code === ''
                ? 'The file could not be written.'
                : `The file could not be written (${code === 'ENOSPC' ? 'the disk is full' : code}).`,
          }
        }
      },
      close: () => Promise.resolve(),
    }
  },
}
