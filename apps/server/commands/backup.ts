import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemClock } from '../../../platform/clock/clock.ts'
import type { Config } from '../../../platform/config/config.ts'
import { backUp, restore as restoreFrom, type Contents } from '../../../platform/data-dir/backup.ts'
import { lockDataDir } from '../../../platform/data-dir/lock.ts'
import { common, Misuse, type Command } from './command.ts'

const { data, json } = common
const options = { data: { ...data, says: 'data directory (default ./data/main)' }, json }

export const backup: Command = {
  name: 'backup',
  usage: 'backup DIR',
  summary:
    'Copy the whole data directory to DIR, with what its links point to, and read the copy back. With the server stopped.',
  options,
  run({ config, rest, print, json: asJson }) {
    const [to] = rest
    if (to === undefined) throw new Misuse('Say: interlock backup DIR')
    if (!existsSync(config.dataDir)) throw new Misuse(`There is no data directory ${config.dataDir}.`)
    const lock = lockDataDir(config.dataDir)
    try {
      const embedded = { postgres: config.databaseUrl === undefined, clickhouse: config.clickhouseUrl === undefined }
      const contents = backUp(lock.directory, resolve(to), systemClock.now(), embedded)
      print(
        asJson
          ? JSON.stringify(contents)
          : [
              ...table(contents),
              `${lock.directory} is in ${resolve(to)}. It holds the secret key: keep it as safe as the original.`,
              ...elsewhere(config),
            ].join('\n'),
      )
    } finally {
      lock.release()
    }
    return Promise.resolve(0)
  },
}

export const restore: Command = {
  name: 'restore',
  usage: 'restore DIR',
  summary: 'Make a data directory of a backup, every byte compared. Refuses a data directory that is not empty.',
  options,
  run({ config, rest, print, json: asJson }) {
    const [from] = rest
    if (from === undefined) throw new Misuse('Say: interlock restore DIR --data NEW_DATA_DIRECTORY')
    const contents = restoreFrom(resolve(from), config.dataDir)
    print(
      asJson
        ? JSON.stringify(contents)
        : [
            ...table(contents),
            `${config.dataDir} is as it was at ${contents.at}. Start it with: interlock serve --data ${config.dataDir}`,
            ...elsewhere(config),
          ].join('\n'),
    )
    return Promise.resolve(0)
  },
}

function table(contents: Contents): string[] {
  return contents.entries.map(
    ({ name, files, bytes }) =>
      `  ${name.padEnd(18)} ${String(files).padStart(7)} files ${(bytes / 1_048_576).toFixed(1).padStart(10)} MiB`,
  )
}

/** Servers of one's own are not in the data directory. */
function elsewhere(config: Config): string[] {
  const servers = [
    ...(config.databaseUrl === undefined ? [] : ['PostgreSQL (pg_dump)']),
    ...(config.clickhouseUrl === undefined ? [] : ['ClickHouse (BACKUP)']),
  ]
  return servers.length === 0
    ? []
    : [`Not in it, because they are servers of yours: ${servers.join(' and ')}. Copy them at the same time.`]
}
