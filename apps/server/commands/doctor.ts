import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createAudit } from '../../../modules/audit/server/index.ts'
import { systemClock } from '../../../platform/clock/clock.ts'
import type { Config } from '../../../platform/config/config.ts'
import { freeSpace } from '../../../platform/data-dir/space.ts'
import { createLog } from '../../../platform/log/log.ts'
import { ask, runningServer } from '../control.ts'
import { openEngines, type Engines } from '../engines.ts'
import { common, type Command } from './command.ts'

interface Finding {
  name: string
  ok: boolean
  says: string
  /** What mends it. */
  mend?: string
}

export const doctor: Command = {
  name: 'doctor',
  usage: 'doctor',
  summary:
    'Look at everything that can be wrong with an installation, and say how to mend it. Exit code 1 when something is.',
  options: common,
  async run({ config, print, json }) {
    const server = runningServer(config.dataDir)
    const findings = [
      ...(await surroundings(config, server !== undefined)),
      ...(server === undefined ? await closed(config) : await open(server)),
    ]
    if (json) print(JSON.stringify(findings))
    else
      for (const { name, ok, says, mend } of findings)
        print(
          `${ok ? '  ok  ' : ' WRONG'}  ${name.padEnd(16)} ${says}${mend === undefined ? '' : `\n${' '.repeat(25)}${mend}`}`,
        )
    return findings.every((finding) => finding.ok) ? 0 : 1
  },
}

async function surroundings(config: Config, serving: boolean): Promise<Finding[]> {
  const findings: Finding[] = []
  const [major = 0] = process.versions.node.split('.').map(Number)
  findings.push({
    name: 'Node',
    ok: major >= 26,
    says: `version ${process.versions.node}`,
    ...(major >= 26 ? {} : { mend: 'Start it by npm start or npx interlock, which bring their own.' }),
  })
  const parent = existsSync(config.dataDir) ? config.dataDir : join(config.dataDir, '..')
  try {
    accessSync(existsSync(parent) ? parent : '.', constants.W_OK)
    findings.push({ name: 'Data directory', ok: true, says: config.dataDir })
  } catch {
    findings.push({
      name: 'Data directory',
      ok: false,
      says: `${config.dataDir} cannot be written`,
      mend: 'Make it yours (chown), or choose another with --data.',
    })
  }
  if (existsSync(parent)) {
    const { free, total } = await freeSpace(parent)
    const ok = free > 1_073_741_824
    findings.push({
      name: 'Disk',
      ok,
      says: `${gib(free)} free of ${gib(total)}`,
      ...(ok ? {} : { mend: 'Free at least 1 GiB: below 512 MiB nothing new is accepted.' }),
    })
  }
  const key = join(config.dataDir, 'secret.key')
  if (config.secretKey === undefined && existsSync(key)) {
    const ok = (statSync(key).mode & 0o077) === 0
    findings.push({
      name: 'Secret key',
      ok,
      says: ok ? 'readable by its owner only; keep a copy elsewhere' : `${key} can be read by others`,
      ...(ok ? {} : { mend: `chmod 600 ${key}` }),
    })
  }
  if (!serving && config.port !== 0) {
    const taken = await new Promise<boolean>((resolve) => {
      const probe = createServer()
      probe.on('error', () => {
        resolve(true)
      })
      probe.listen(config.port, config.host, () =>
        probe.close(() => {
          resolve(false)
        }),
      )
    })
    findings.push({
      name: 'Port',
      ok: !taken,
      says: `${config.host}:${String(config.port)} ${taken ? 'is taken by another program' : 'is free'}`,
      ...(taken ? { mend: 'Choose another: INTERLOCK_PORT=4401 npm start' } : {}),
    })
  }
  return findings
}

/** Nobody has the data directory: open everything, look, and close it again. */
async function closed(config: Config): Promise<Finding[]> {
  if (!existsSync(config.dataDir))
    return [{ name: 'Data', ok: true, says: 'nothing here yet; the first start makes it' }]
  let engines: Engines
  try {
    engines = await openEngines(config, createLog('silent'))
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error)
    const damaged = /journal/i.test(says)
    return [
      {
        name: 'Opening',
        ok: false,
        says,
        mend: damaged
          ? 'npx interlock journal mend keeps every whole record and sets the damaged files aside.'
          : 'The log (INTERLOCK_LOG=debug) says more.',
      },
    ]
  }
  try {
    const findings: Finding[] = []
    const [version] = await engines.postgres.query<{ version: string }>(
      "SELECT current_setting('server_version') AS version",
    )
    findings.push({
      name: 'PostgreSQL',
      ok: true,
      says: `version ${version?.version ?? '?'}, ${config.databaseUrl === undefined ? 'embedded' : 'a server of yours'}`,
    })
    const [house] = await engines.clickhouse.query<{ version: string; events: string }>(
      'SELECT version() AS version, toString(count()) AS events FROM event',
    )
    findings.push({
      name: 'ClickHouse',
      ok: true,
      says: `version ${house?.version ?? '?'}, ${house?.events ?? '0'} events, ${config.clickhouseUrl === undefined ? 'embedded' : 'a server of yours'}`,
    })
    const state = engines.journal.state()
    findings.push({
      name: 'Journal',
      ok: state.trouble === undefined,
      says:
        state.trouble ??
        `${String(state.segments)} segments, ${String(engines.journal.head - engines.journal.stored)} events on their way${state.cutBytes > 0 ? `, ${String(state.cutBytes)} unacknowledged bytes were cut` : ''}`,
    })
    const verified = await createAudit({
      postgres: engines.postgres,
      clock: systemClock,
      heads: { file: engines.auditHeads, secrets: engines.secrets },
    }).verify()
    findings.push({
      name: 'Audit log',
      ok: verified.ok,
      says: verified.ok
        ? `${String(verified.entries)} entries, whole`
        : `entry ${String(verified.seq)}: ${verified.because}`,
      ...(verified.ok
        ? {}
        : { mend: 'Somebody changed the log. Compare with a backup; nothing here puts it right, and nothing should.' }),
    })
    return findings
  } finally {
    await engines.close()
  }
}

/** A server has it: ask how it is. */
async function open(server: { url: string; token: string; pid: number }): Promise<Finding[]> {
  const answer = await fetch(`${server.url}/health/ready`)
  const ready = (await answer.json()) as Record<string, unknown>
  const verified = (await ask(server, 'GET', '/api/audit/verify')) as {
    ok: boolean
    entries?: number
    seq?: number
    because?: string
  }
  return [
    { name: 'Server', ok: answer.ok, says: `process ${String(server.pid)} answers at ${server.url}` },
    ...Object.entries(ready)
      .filter(([name]) => name !== 'ready')
      .map(([name, says]): Finding => {
        const text = typeof says === 'string' ? says : JSON.stringify(says)
        return { name, ok: /ok|true/.test(text), says: text }
      }),
    {
      name: 'Audit log',
      ok: verified.ok,
      says: verified.ok
        ? `${String(verified.entries)} entries, whole`
        : `entry ${String(verified.seq)}: ${verified.because ?? ''}`,
    },
  ]
}
const gib = (bytes: number) => `${(bytes / 1_073_741_824).toFixed(1)} GiB`
