import { accessSync, constants, existsSync, lstatSync, readlinkSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { linksInMails, type Config } from '../../../platform/config/config.ts'
import { refuseWhenLost } from '../../../platform/data-dir/history.ts'
import { freeSpace } from '../../../platform/data-dir/space.ts'
import { checkJournal } from '../../../platform/journal/checks.ts'
import { directoryFiles } from '../../../platform/journal/files.ts'
import { openSmtp, smtpPlace } from '../../../platform/mail/smtp.ts'
import { finding, type Finding } from './finding.ts'

const leastFreeBytes = 1_073_741_824
const smtpPatienceMs = 10_000

/** Everything around the databases: what can be seen whether a server runs or not, without changing anything. */
export async function surroundings(config: Config, serving: boolean): Promise<Finding[]> {
  const { dataDir } = config
  const findings = [
    await finding('Node', node, 'Start it by npm start or npx interlock, which bring their own.'),
    await finding('Data directory', () => writable(dataDir), 'Make it yours (chown), or choose another with --data.'),
  ]
  const disk = existsSync(dataDir) ? dataDir : join(dataDir, '..')
  if (existsSync(disk))
    findings.push(
      await finding('Disk', () => space(disk), 'Free at least 1 GiB: below 512 MiB nothing new is accepted.'),
    )
  if (existsSync(dataDir)) {
    findings.push(
      await finding(
        'Secret key',
        () => key(config),
        `Make it readable by its owner only: chmod 600 ${join(dataDir, 'secret.key')}. A lost one comes from a backup only.`,
      ),
    )
    for (const [name, server] of [
      ['postgres', config.databaseUrl],
      ['clickhouse', config.clickhouseUrl],
    ] as const)
      if (server === undefined)
        findings.push(
          await finding(
            `Folder ${name}`,
            () => folder(dataDir, name),
            'Nothing is made anew in its place until you say so by choosing another data directory.',
          ),
        )
    if (existsSync(join(dataDir, 'journal')))
      for (const { name, ok, finding: says, mend } of await checkJournal(
        await directoryFiles(join(dataDir, 'journal')),
      ))
        findings.push({ name: name.replace(/^j/, 'J'), ok, says, ...(mend === '' ? {} : { mend }) })
  }
  findings.push(
    await finding(
      'Mail route',
      () => mailRoute(config),
      'Look at INTERLOCK_SMTP_URL, at the name and password in it, and at the firewall in between.',
    ),
  )
  const links = linksInMails(config)
  if (links !== undefined) findings.push({ name: 'Links in mails', ok: false, says: links.says })
  if (!serving && config.port !== 0)
    findings.push(await finding('Port', () => free(config), 'Choose another: INTERLOCK_PORT=4401 npm start'))
  return findings
}

function node(): string {
  const [major = 0] = process.versions.node.split('.').map(Number)
  if (major < 26) throw new Error(`version ${process.versions.node}; 26 is needed`)
  return `version ${process.versions.node}`
}

function writable(dataDir: string): string {
  let at = dataDir
  while (!existsSync(at)) at = join(at, '..')
  try {
    accessSync(at, constants.W_OK)
  } catch (error) {
    throw new Error(`${at} cannot be written`, { cause: error })
  }
  return at === dataDir ? dataDir : `${dataDir} is not there yet; the first start makes it`
}

async function space(at: string): Promise<string> {
  const { free: bytes, total } = await freeSpace(at)
  const says = `${gib(bytes)} free of ${gib(total)}`
  if (bytes < leastFreeBytes) throw new Error(says)
  return says
}

function key({ dataDir, secretKey }: Config): string {
  if (secretKey !== undefined) return 'from INTERLOCK_SECRET_KEY'
  const path = join(dataDir, 'secret.key')
  if (!existsSync(path)) {
    if (existsSync(join(dataDir, 'journal')))
      throw new Error(
        `${path} is missing, although this directory was used before: what was sealed with it cannot be opened`,
      )
    return 'none yet; the first start makes it'
  }
  if ((statSync(path).mode & 0o077) !== 0) throw new Error(`${path} can be read by others`)
  return 'readable by its owner only; keep a copy elsewhere'
}

function folder(dataDir: string, name: 'postgres' | 'clickhouse'): string {
  refuseWhenLost(dataDir, name)
  const path = join(dataDir, name)
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return 'not there yet; the first start makes it'
  return found.isSymbolicLink()
    ? `a link to ${readlinkSync(path)}: a copy of this directory by hand must copy that too`
    : 'in the data directory'
}

async function mailRoute({ smtpUrl }: Config): Promise<string> {
  if (smtpUrl === undefined) return 'the built-in catcher: mails stay on this machine'
  const { host, port } = smtpPlace(smtpUrl)
  try {
    const connection = await openSmtp(
      smtpUrl,
      { beforeFinalDot: () => undefined, afterAnswer: () => undefined },
      smtpPatienceMs,
    )
    await connection.quit()
  } catch (error) {
    throw new Error(`${host}:${String(port)}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
  return `${host}:${String(port)} answers and lets us in`
}

function free({ host, port }: Config): Promise<string> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.on('error', () => {
      reject(new Error(`${host}:${String(port)} is taken by another program`))
    })
    probe.listen(port, host, () =>
      probe.close(() => {
        resolve(`${host}:${String(port)} is free`)
      }),
    )
  })
}

const gib = (bytes: number) => `${(bytes / 1_073_741_824).toFixed(1)} GiB`
