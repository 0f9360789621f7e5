import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Clock } from '../clock/clock.ts'
import type { Log } from '../log/log.ts'
import { restartPauses, usualRhythm, watchPulse, type PulseRhythm } from '../supervision/pulse.ts'
import { place, type Placement } from './binaries.ts'

/** An embedded PostgreSQL under supervision. */
export interface PostgresChild {
  /** The folder of its unix socket; the only way in. */
  socketDirectory: string
  /** Pid of the supervising shell, undefined while it is down. */
  pid(): number | undefined
  /** Fast shutdown: open transactions are rolled back, everything committed is on disk. */
  stop(): Promise<void>
}

/**
 * Runs PostgreSQL and ends it when our end of the pipe on its standard input closes, which also happens when this process is killed:
 * no database survives its owner. A shell of one megabyte does it, where a guard in Node would cost fifty.
 */
const guard = `exec 3<&0
"$@" </dev/null 3<&- &
server=$!
(read -r nothing <&3; kill -INT $server 2>/dev/null) &
watcher=$!
wait $server
code=$?
kill $watcher 2>/dev/null
exit $code`

const longestSocketPath = 107

/**
 * Makes the database when there is none, starts it, and restarts it with growing pauses when it dies or hangs.
 * @param dataDir the locked data directory
 * @throws when it does not come up within 60 s, with the last lines it wrote
 */
export async function startPostgres(
  dataDir: string,
  log: Log,
  clock: Clock,
  rhythm: PulseRhythm = usualRhythm,
): Promise<PostgresChild> {
  const placement = place(dataDir)
  const socketDirectory = socketFolder(dataDir)
  if (!existsSync(join(placement.directory, 'PG_VERSION'))) makeDatabase(placement)
  endLeftover(placement, log)

  let child: ChildProcess | undefined
  let stopping = false
  let lastLines: string[] = []
  let exited: Promise<void> = Promise.resolve()

  const pauses = restartPauses(clock)
  function launch(): void {
    lastLines = []
    pauses.launched()
    // Cleaners of temporary folders take it away while it stands still.
    makeSocketFolder(socketDirectory, placement)
    const started = spawn(
      '/bin/sh',
      [
        '-c',
        guard,
        'interlock-postgres',
        join(placement.bin, 'postgres'),
        '-D',
        placement.directory,
        ...settings(socketDirectory),
      ],
      {
        stdio: ['pipe', 'ignore', 'pipe'],
        cwd: '/',
        env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' },
        ...(placement.uid === undefined ? {} : { uid: placement.uid, gid: placement.uid }),
      },
    )
    child = started
    started.stderr.setEncoding('utf8')
    started.stderr.on('data', (text: string) => {
      lastLines = [...lastLines, ...text.split('\n').filter((line) => line !== '')].slice(-20)
    })
    exited = new Promise((resolve) => {
      started.on('exit', (code, signal) => {
        child = undefined
        resolve()
        if (!stopping) void again(code ?? signal)
      })
    })
  }

  async function again(how: unknown): Promise<void> {
    const pauseMs = pauses.next()
    log.warn('PostgreSQL ended; starting it again', { how, pauseMs, lastLines })
    await clock.sleep(pauseMs)
    if (stopping) return
    endLeftover(placement, log)
    launch()
  }

  launch()
  if (!(await answers(socketDirectory, clock, 60_000))) {
    stopping = true
    child?.kill('SIGKILL')
    throw new Error(`PostgreSQL did not start within 60 seconds. The last it said:\n${lastLines.join('\n')}`)
  }
  const stopWatching = watchPulse(
    clock,
    rhythm,
    () => (child === undefined ? undefined : alive(socketDirectory, rhythm.deadlineMs)),
    (because) => {
      log.warn('PostgreSQL hangs; ending it', { because })
      // All of its processes: one that stands still too would keep the shared memory from the next. Nothing that was committed is lost.
      const postmaster = postmasterOf(placement)
      if (postmaster === undefined) return
      for (const pid of [postmaster, ...childrenOf(postmaster)])
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // It ended by itself.
        }
    },
  )
  return {
    socketDirectory,
    pid: () => child?.pid,
    async stop() {
      stopping = true
      stopWatching()
      child?.stdin?.end()
      await exited
      rmSync(socketDirectory, { recursive: true, force: true })
    },
  }
}

function settings(socketDirectory: string): string[] {
  const values: Record<string, string> = {
    listen_addresses: '',
    unix_socket_directories: socketDirectory,
    unix_socket_permissions: '0700',
    max_connections: '60',
    shared_buffers: '128MB',
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    log_destination: 'stderr',
    log_min_messages: 'warning',
    log_line_prefix: '',
    timezone: 'UTC',
    idle_in_transaction_session_timeout: '60s',
    // Every table of ours that is written in bulk is also deleted from in bulk.
    autovacuum_naptime: '20s',
    dynamic_shared_memory_type: process.platform === 'linux' ? 'mmap' : 'posix',
  }
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** A fresh private folder for the socket, short enough for every kernel; that of an owner that was killed is removed. */
function socketFolder(dataDir: string): string {
  const note = join(dataDir, 'postgres.socket')
  if (existsSync(note)) {
    const old = readFileSync(note, 'utf8')
    if (/\/il-[A-Za-z0-9]{6}$/.test(old)) rmSync(old, { recursive: true, force: true })
  }
  const base = tmpdir().length + '/il-abcdef/.s.PGSQL.5432.lock'.length <= longestSocketPath ? tmpdir() : '/tmp'
  const made = mkdtempSync(join(base, 'il-'))
  writeFileSync(note, made)
  return made
}

function makeSocketFolder(path: string, placement: Placement): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (placement.uid !== undefined) chownSync(path, placement.uid, placement.uid)
}

/** Makes the database beside its place and puts it there when it is whole, so that a kill in between leaves nothing that looks like one. */
function makeDatabase(placement: Placement): void {
  const half = `${placement.directory}.half`
  rmSync(half, { recursive: true, force: true })
  mkdirSync(half, { recursive: true, mode: 0o700 })
  if (placement.uid !== undefined) chownSync(half, placement.uid, placement.uid)
  const made = spawnSync(
    join(placement.bin, 'initdb'),
    [
      '-D',
      half,
      '-U',
      'interlock',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--no-instructions',
    ],
    {
      encoding: 'utf8',
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' },
      ...(placement.uid === undefined ? {} : { uid: placement.uid, gid: placement.uid }),
    },
  )
  if (made.status !== 0) {
    rmSync(half, { recursive: true, force: true })
    throw new Error(
      `PostgreSQL could not make its database: ${made.error?.message ?? `${made.stdout}\n${made.stderr}`}`,
    )
  }
  // An empty folder may be waiting there; anything else makes this fail, as it should.
  renameSync(half, placement.directory)
}

/** The PostgreSQL that runs on this very directory; undefined when none does. */
function postmasterOf(placement: Placement): number | undefined {
  const file = join(placement.directory, 'postmaster.pid')
  if (!existsSync(file)) return undefined
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
  if (!Number.isInteger(pid) || pid <= 1) return undefined
  try {
    const command = readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8')
    return command.includes('postgres') && command.includes(placement.directory) ? pid : undefined
  } catch {
    // It is gone already, or this system has no /proc.
    return undefined
  }
}

/** Pids of the processes that this one started; none where the system has no /proc. */
function childrenOf(parent: number): number[] {
  if (!existsSync('/proc/self/stat')) return []
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      if (!Number.isInteger(pid)) return false
      try {
        // `pid (name) state ppid …`, where the name may hold anything.
        const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent
      } catch {
        return false
      }
    })
}

/** A postmaster whose guard was killed too: it is ours to end, because we hold the lock of the data directory. */
function endLeftover(placement: Placement, log: Log): void {
  const pid = postmasterOf(placement)
  if (pid === undefined) return
  log.warn('ending a PostgreSQL that outlived its owner', { pid })
  try {
    process.kill(pid, 'SIGQUIT')
  } catch {
    return
  }
  spawnSync('/bin/sh', [
    '-c',
    `for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do kill -0 ${String(pid)} 2>/dev/null || exit 0; sleep 0.25; done; kill -KILL ${String(pid)}`,
  ])
}

/** Resolves when a new connection got an answer; a refusal by the server (starting, too many connections) is one too. */
async function alive(socketDirectory: string, withinMs: number): Promise<void> {
  const client = new pg.Client({
    host: socketDirectory,
    user: 'interlock',
    database: 'postgres',
    connectionTimeoutMillis: withinMs,
    query_timeout: withinMs,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('SELECT 1')
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error
  } finally {
    void client.end().catch(() => undefined)
  }
}

async function answers(socketDirectory: string, clock: Clock, withinMs: number): Promise<boolean> {
  for (let waited = 0; waited < withinMs; waited += 50) {
    const client = new pg.Client({
      host: socketDirectory,
      user: 'interlock',
      database: 'postgres',
      connectionTimeoutMillis: 2_000,
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query('SELECT 1')
      await client.end()
      return true
    } catch {
      await client.end().catch(() => undefined)
      await clock.sleep(50)
    }
  }
  return false
}
