import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mysql from 'mysql2/promise'
import { systemClock } from '../../platform/clock/clock.ts'

const found = (paths: string[]) => paths.find((path) => existsSync(path))
const server = found(['/usr/sbin/mariadbd', '/usr/sbin/mysqld'])
const installer = found(['/usr/bin/mariadb-install-db', '/usr/bin/mysql_install_db'])

/** Undefined where Debian's mariadb-server is not installed: tests that need it are skipped by name. */
export const mariadbPath = installer === undefined ? undefined : server

export interface MariaDb {
  port: number
  database: string
  user: string
  password: string
  /** A connection of whoever writes there. */
  connect(): Promise<mysql.Connection>
  stop(): Promise<void>
}

/** A MariaDB server of one's own: its data in a new folder under /tmp, on a free port of 127.0.0.1, as the user mysql when we are root. */
export async function aMariaDb(): Promise<MariaDb> {
  if (mariadbPath === undefined || installer === undefined) throw new Error('MariaDB is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'il-maria-'))
  const asMysql = process.getuid?.() === 0
  chmodSync(folder, 0o755)
  if (asMysql) execFileSync('chown', ['mysql:mysql', folder])
  const common = ['--no-defaults', `--datadir=${join(folder, 'data')}`, ...(asMysql ? ['--user=mysql'] : [])]
  execFileSync(installer, [...common, '--auth-root-authentication-method=normal', '--skip-test-db'], { stdio: 'pipe' })
  // Port 0 cannot be asked back, so a free one is taken by its process id; two servers at a time have two.
  const port = 20_000 + (process.pid % 20_000)
  const child = spawn(
    mariadbPath,
    [
      ...common,
      `--socket=${join(folder, 's')}`,
      '--bind-address=127.0.0.1',
      `--port=${String(port)}`,
      `--pid-file=${join(folder, 'pid')}`,
      '--innodb-buffer-pool-size=64M',
      '--innodb-flush-log-at-trx-commit=2',
      '--skip-log-bin',
    ],
    { stdio: 'ignore' },
  )
  const leave = () => child.kill('SIGKILL')
  process.once('exit', leave)
  const exited = once(child, 'exit')
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 300 || child.exitCode !== null) throw new Error('MariaDB did not start')
    await systemClock.sleep(100)
  }
  const root = await mysql.createConnection({ socketPath: join(folder, 's'), user: 'root', multipleStatements: true })
  const password = 'pä$$ "word"\\'
  await root.query(
    `CREATE DATABASE gammal CHARACTER SET utf8mb4; CREATE USER 'läsare'@'%' IDENTIFIED BY ?; GRANT SELECT, PROCESS ON *.* TO 'läsare'@'%'`,
    [password],
  )
  await root.end()
  return {
    port,
    database: 'gammal',
    user: 'läsare',
    password,
    connect: () =>
      mysql.createConnection({
        socketPath: join(folder, 's'),
        user: 'root',
        database: 'gammal',
        multipleStatements: true,
        charset: 'utf8mb4',
      }),
    async stop() {
      child.kill('SIGTERM')
      await exited
      process.off('exit', leave)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}
