import { join } from 'node:path'
import { systemClock } from '../../../platform/clock/clock.ts'
import { lockDataDir } from '../../../platform/data-dir/lock.ts'
import { directoryFiles } from '../../../platform/journal/files.ts'
import { mendJournal } from '../../../platform/journal/mend.ts'
import { createLog } from '../../../platform/log/log.ts'
import { systemRandom } from '../../../platform/random/random.ts'
import { common, Misuse, type Command } from './command.ts'

export const journal: Command = {
  name: 'journal',
  usage: 'journal mend',
  summary:
    'Make a damaged journal usable again: keeps every whole record, sets the damaged files aside. With the server stopped.',
  options: common,
  async run({ config, rest, print, json }) {
    if (rest[0] !== 'mend') throw new Misuse('Say: interlock journal mend')
    const lock = lockDataDir(config.dataDir)
    try {
      const mended = await mendJournal({
        files: await directoryFiles(join(lock.directory, 'journal')),
        clock: systemClock,
        random: systemRandom,
        log: createLog('warn'),
      })
      print(
        json
          ? JSON.stringify(mended)
          : mended.setAside.length === 0
            ? `The journal is whole: ${String(mended.kept)} records.`
            : `Kept ${String(mended.kept)} records, rescued ${String(mended.rescued)} from behind the damage; ${String(mended.lostBytes)} bytes could not be read. Set aside: ${mended.setAside.join(', ')}.`,
      )
      return 0
    } finally {
      lock.release()
    }
  },
}
