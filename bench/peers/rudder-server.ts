import { spawn, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { systemClock } from '../../platform/clock/clock.ts'
import { createLog } from '../../platform/log/log.ts'
import { startPostgres } from '../../platform/postgres/child.ts'
import { ensureDatabase } from '../../platform/postgres/migrate.ts'
import type { Peer, StartPeer } from './peer.ts'

/** Of the workspace file that RudderStack reads instead of asking its control plane. */
const writeKey = 'interlock-bench'
const workspaceId = 'bench'

/** Ends it when our end of the pipe on its standard input closes, which also happens when the bench is killed; after 20 s without asking. */
const guard = `exec 3<&0
"$1" </dev/null 3<&- &
server=$!
(read -r nothing <&3; kill -TERM $server; sleep 20; kill -KILL $server) 2>/dev/null >&2 &
watcher=$!
wait $server
kill $watcher 2>/dev/null
exit 0`

/**
 * The gateway of RudderStack's data plane (APP_TYPE=GATEWAY: it takes events in and leaves them in PostgreSQL for the processor, which does not run),
 * with its own defaults, on a PostgreSQL of the same build and settings as ours. It asks nobody outside: the workspace comes from a file, diagnostics,
 * metrics and the suppression of users are off. The program is the user's own; nothing of it is part of Interlock.
 * Its gateway listens on every interface of the machine, for which it has no setting, for as long as the bench runs.
 * @param program path of a `rudder-server` binary
 */
export const startRudderServer: StartPeer = async (folder, program): Promise<Peer> => {
  await mkdir(folder, { recursive: true })
  const postgres = await startPostgres(folder, createLog('error'), systemClock)
  await ensureDatabase(postgres.socketDirectory, 'rudder')
  // It does not listen before its transformer has said what it can; without one (404), it takes what it knows by itself.
  const transformer = createHttpServer((_request, reply) => reply.writeHead(404).end())
  const transformerPort = await listening(transformer)
  const port = await freePort()
  const child = spawn('/bin/sh', ['-c', guard, 'bench-rudder-server', program], {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: '/usr/bin:/bin',
      HOME: folder,
      TMPDIR: folder,
      RUDDER_TMPDIR: folder,
      CONFIG_PATH: await written(
        folder,
        'config.yaml',
        settings(postgres.socketDirectory, port, transformerPort, folder),
      ),
      APP_TYPE: 'GATEWAY',
      INSTANCE_ID: '1',
      LOG_LEVEL: 'WARN',
    },
  })
  const gone = once(child, 'exit')
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)))
  const stop = async () => {
    child.stdin.end()
    await gone
    transformer.closeAllConnections()
    transformer.close()
    await postgres.stop()
  }
  await written(folder, 'workspace.json', workspace)
  for (let waited = 0; !(await isReady(port)); waited += 200) {
    if (waited < 60_000 && child.exitCode === null && child.signalCode === null) await systemClock.sleep(200)
    else {
      await stop()
      throw new Error(`rudder-server did not come up. The last it said:\n${said}`)
    }
  }
  return {
    port,
    writeKey,
    version: versionOf(program),
    accepted: 'committed to PostgreSQL (fsync and synchronous_commit on) before the answer',
    pids: () => [child.pid, postgres.pid()].filter((pid) => pid !== undefined),
    stored: () => storedIn(postgres.socketDirectory),
    stop,
  }
}

/** A row of its queue is a batch of one user and says how many events it holds; a full table of it is followed by the next. */
async function storedIn(socketDirectory: string): Promise<number> {
  const client = new pg.Client({ host: socketDirectory, user: 'interlock', database: 'rudder' })
  await client.connect()
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' AND tablename ~ '^gw_jobs_[0-9_]+$'`,
    )
    let events = 0
    for (const { name } of rows) {
      const counted = await client.query<{ events: string }>(
        `SELECT coalesce(sum(event_count), 0) AS events FROM ${name}`,
      )
      events += Number(counted.rows[0]?.events)
    }
    return events
  } finally {
    await client.end()
  }
}

/** Its own file of settings, which JSON is too: where things are, and nothing that speaks to anybody outside. All else as it comes. */
const settings = (socketDirectory: string, port: number, transformerPort: number, folder: string) => ({
  DB: { host: socketDirectory, port: 5432, user: 'interlock', name: 'rudder', password: 'none', sslMode: 'disable' },
  Gateway: { webPort: port, enableSuppressUserFeature: false },
  BackendConfig: { configFromFile: true, configJSONPath: join(folder, 'workspace.json') },
  CONFIG_BACKEND_URL: 'http://127.0.0.1:9',
  CP_ROUTER_URL: 'http://127.0.0.1:9',
  DEST_TRANSFORM_URL: `http://127.0.0.1:${String(transformerPort)}`,
  Diagnostics: { enableDiagnostics: false, endpoint: 'http://127.0.0.1:9' },
  enableStats: false,
  Profiler: { Enabled: false },
  AdminServer: { enabled: false },
  RuntimeStats: { enabled: false },
  Warehouse: { mode: 'off' },
})

const workspace = {
  enableMetrics: false,
  workspaceId,
  sources: [
    {
      id: 'bench-source',
      name: 'bench',
      writeKey,
      workspaceId,
      enabled: true,
      deleted: false,
      config: {},
      destinations: [],
      sourceDefinitionId: 'http',
      sourceDefinition: { id: 'http', name: 'HTTP', category: null },
    },
  ],
}

async function written(folder: string, name: string, what: object): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, JSON.stringify(what))
  return path
}

async function isReady(port: number): Promise<boolean> {
  try {
    const reply = await fetch(`http://127.0.0.1:${String(port)}/v1/track`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${writeKey}:`)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'track', event: 'Ready', userId: 'ready', messageId: 'ready' }),
    })
    return reply.status === 200
  } catch {
    // Not listening yet.
    return false
  }
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listening(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

function versionOf(program: string): string {
  const said = execFileSync(program, ['-v'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 20_000 })
  return `rudder-server ${/"Version": "([^"]+)"/.exec(said)?.[1] ?? 'of unknown version'}`
}
