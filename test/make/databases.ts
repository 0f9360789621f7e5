import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import mysql from 'mysql2/promise'
import { afterAll } from 'vitest'
import type { PostgresAddress } from '../../platform/postgres/pool.ts'

/** The embedded PostgreSQL, which listens on a socket in the file system only, under a port of its own: a database of somebody else. */
export async function postgresOnPort(
  address: PostgresAddress,
): Promise<{ port: number; database: string; user: string }> {
  if (!('socketDirectory' in address)) throw new Error('a database in a directory')
  const server = createServer((socket) => {
    const inner = connect(join(address.socketDirectory, '.s.PGSQL.5432'))
    socket.pipe(inner).pipe(socket)
    const end = () => {
      socket.destroy()
      inner.destroy()
    }
    socket.on('error', end)
    inner.on('error', end)
    socket.on('close', end)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  afterAll(() => {
    server.close()
  })
  const at = server.address()
  return {
    port: typeof at === 'object' && at !== null ? at.port : 0,
    database: address.database,
    user: 'interlock',
  }
}

export const mariadbd = ['/usr/sbin/mariadbd', '/usr/libexec/mariadbd'].find(
  (path) => spawnSync(path, ['--version']).status === 0,
)

/** A MariaDB of one's own on a free port with a user `il`, gone when the test file ends. */
export async function aMariaDb(): Promise<{ port: number; user: string; password: string; database: string }> {
  if (mariadbd === undefined) throw new Error('there is no MariaDB on this machine')
  const directory = mkdtempSync(join(tmpdir(), 'interlock-mariadb-'))
  const user = userInfo().username
  const made = spawnSync(
    '/usr/bin/mariadb-install-db',
    ['--no-defaults', `--datadir=${directory}/data`, `--user=${user}`, '--auth-root-authentication-method=normal'],
    { encoding: 'utf8' },
  )
  if (made.status !== 0) throw new Error(`MariaDB could not be set up: ${made.stdout}${made.stderr}`)
  const port = await freePort()
  const child: ChildProcess = spawn(
    mariadbd,
    [
      '--no-defaults',
      `--datadir=${directory}/data`,
      `--user=${user}`,
      `--port=${String(port)}`,
      '--bind-address=127.0.0.1',
      `--socket=${directory}/socket`,
      '--innodb-buffer-pool-size=32M',
      '--innodb-flush-log-at-trx-commit=0',
    ],
    { stdio: 'ignore' },
  )
  afterAll(async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
    rmSync(directory, { recursive: true, force: true })
  })
  const [password, database] = ['p“ä”ss', 'ziel']
  for (let tries = 0; ; tries++) {
    try {
      const root = await mysql.createConnection({ socketPath: `${directory}/socket`, user: 'root' })
      await root.query(`CREATE DATABASE ${database}`)
      await root.query('CREATE USER il@localhost IDENTIFIED BY ?', [password])
      await root.query(`GRANT ALL ON ${database}.* TO il@localhost`)
      await root.end()
      return { port, user: 'il', password, database }
    } catch (error) {
      if (tries > 200) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const at = server.address()
      const port = typeof at === 'object' && at !== null ? at.port : 0
      server.close(() => resolve(port))
    })
  })
}
