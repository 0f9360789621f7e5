import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { z } from 'zod'

/** The environment, read, parsed and explained in this one file, at start. Nothing else looks at the environment. */
const Environment = z.object({
  INTERLOCK_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(4400)
    .describe('the port to serve on; 0 takes a free one'),
  INTERLOCK_HOST: z.string().default('127.0.0.1').describe('the address to listen on'),
  INTERLOCK_DATA_DIR: z.string().default('./data/main').describe('where engines, journal and key file live'),
  INTERLOCK_DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .optional()
    .describe('a PostgreSQL server (15 or later) in place of the embedded one'),
  INTERLOCK_CLICKHOUSE_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('a ClickHouse server in place of the embedded engine'),
  INTERLOCK_ROLE: z
    .enum(['all', 'collect'], {
      error:
        '“all” (one process of an installation: pages, API, everything behind them) or “collect” (as many as you like: takes events in and hands them on); docs/operations/scaling.md',
    })
    .default('all')
    .describe('which part this process takes: all of it, or collect, which takes events in and hands them on'),
  INTERLOCK_RELAY_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('for the role collect: where the process with the role all is reached, to hand events on to'),
  INTERLOCK_PUBLIC_URL: z.url().optional().describe('the address under which people and mails reach this server'),
  INTERLOCK_COMPANY: z
    .string()
    .trim()
    .min(1)
    .max(120)
    .optional()
    .describe(
      'the name on the pages that mails lead to (unsubscribing, preferences); by default that of the first sender',
    ),
  INTERLOCK_ALLOWED_HOSTS: z
    .string()
    .optional()
    .describe(
      'comma-separated names under which pages, API and /metrics answer, beside localhost, numbers and the public URL',
    ),
  INTERLOCK_EGRESS_ALLOW: z
    .string()
    .optional()
    .describe(
      'comma-separated host:port that may be private and may be called without TLS (an old CRM’s database, a receiver in your network); everything else must be on the public internet',
    ),
  INTERLOCK_EXPORT_FOLDERS: z
    .string()
    .optional()
    .describe(
      'comma-separated absolute folders into which events may be exported, beside the folder “exports” of the data directory',
    ),
  INTERLOCK_IMPORT_FOLDERS: z
    .string()
    .optional()
    .describe(
      'comma-separated absolute folders from which standing imports may take files, with what is below them; none by default',
    ),
  INTERLOCK_SMTP_URL: z
    .url({ protocol: /^smtps?$/ })
    .optional()
    .describe(
      'where mail goes; by default the built-in mail catcher. A password goes over TLS only, or with ?insecure=1 at the end',
    ),
  INTERLOCK_SEND_DURABLE: z
    .enum(['0', '1'])
    .default('0')
    .describe(
      '1: the note before each mail’s last byte is on disk first, so that a power cut sends none twice; costs one fdatasync a mail',
    ),
  INTERLOCK_SECRET_KEY: z
    .string()
    .min(32)
    .optional()
    .describe('at least 32 characters; by default a key file (mode 600) in the data directory'),
  INTERLOCK_LOG: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('warn')
    .describe('how much to log, as JSON lines on standard error'),
  INTERLOCK_BEGAN_MS: z.coerce
    .number()
    .optional()
    .describe('set by npm start: when it began, so that the time to the first answer can be told'),
  INTERLOCK_TRUST_PROXY: z.string().optional().describe('comma-separated CIDRs of the proxies in front; never "true"'),
})

export interface Config {
  role: 'all' | 'collect'
  /** Set for the role `collect`. */
  relayUrl: string | undefined
  port: number
  host: string
  dataDir: string
  databaseUrl: string | undefined
  clickhouseUrl: string | undefined
  publicUrl: string | undefined
  /** What readers of mails know the company as; undefined leaves it to the first sender. */
  company: string | undefined
  allowedHosts: string[]
  /** Exactly these `host:port` may be private and may be called without TLS. */
  egressAllow: string[]
  /** Absolute folders that exports may be written to, beside our own. */
  exportFolders: string[]
  /** Absolute folders that standing imports may read. */
  importFolders: string[]
  smtpUrl: string | undefined
  sendDurable: boolean
  secretKey: string | undefined
  log: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  trustProxy: string[]
  /** Whether somebody chose the data directory. */
  dataDirGiven: boolean
  /** When `npm start` began, in ms since 1970. */
  beganMs: number | undefined
}

const listed = (text = '') =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

/** @throws an Error whose message names every variable that is wrong and what it is for */
export function readConfig(environment: Record<string, string | undefined>, overrides: Partial<Config> = {}): Config {
  const parsed = Environment.safeParse(
    Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== '')),
  )
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new Error(`The environment is not right.\n${lines.join('\n')}`)
  }
  const value = parsed.data
  const config: Config = {
    role: value.INTERLOCK_ROLE,
    relayUrl: value.INTERLOCK_RELAY_URL,
    port: value.INTERLOCK_PORT,
    host: value.INTERLOCK_HOST,
    dataDir: value.INTERLOCK_DATA_DIR,
    databaseUrl: value.INTERLOCK_DATABASE_URL,
    clickhouseUrl: value.INTERLOCK_CLICKHOUSE_URL,
    publicUrl: value.INTERLOCK_PUBLIC_URL,
    company: value.INTERLOCK_COMPANY,
    smtpUrl: value.INTERLOCK_SMTP_URL,
    sendDurable: value.INTERLOCK_SEND_DURABLE === '1',
    secretKey: value.INTERLOCK_SECRET_KEY,
    log: value.INTERLOCK_LOG,
    allowedHosts: listed(value.INTERLOCK_ALLOWED_HOSTS),
    egressAllow: listed(value.INTERLOCK_EGRESS_ALLOW),
    exportFolders: listed(value.INTERLOCK_EXPORT_FOLDERS),
    importFolders: listed(value.INTERLOCK_IMPORT_FOLDERS),
    trustProxy: listed(value.INTERLOCK_TRUST_PROXY),
    dataDirGiven: environment['INTERLOCK_DATA_DIR'] !== undefined || overrides.dataDir !== undefined,
    beganMs: value.INTERLOCK_BEGAN_MS,
    ...overrides,
  }
  if (config.role === 'collect') {
    const missing = [
      ...(config.databaseUrl === undefined ? ['INTERLOCK_DATABASE_URL (the write keys are there)'] : []),
      ...(config.relayUrl === undefined ? ['INTERLOCK_RELAY_URL (events are handed on to it)'] : []),
      ...(config.secretKey === undefined
        ? ['INTERLOCK_SECRET_KEY (the same as of the process with the role all)']
        : []),
    ]
    if (missing.length > 0) throw new Error(`A process with INTERLOCK_ROLE=collect needs ${missing.join(', ')}.`)
  }
  const links = linksInMails(config)
  if (links?.fatal === true) throw new Error(links.says)
  const dir = config.dataDir.startsWith('~/') ? join(homedir(), config.dataDir.slice(2)) : config.dataDir
  return { ...config, dataDir: isAbsolute(dir) ? dir : resolve(dir) }
}

const thisMachine = new Set(['localhost', '127.0.0.1', '[::1]', '0.0.0.0'])

/**
 * The address of a listening server as a browser should open it: this machine by its name, because a browser makes passkeys for names alone
 * (WebAuthn, “valid domain”). @param address as the server says where it listens
 */
export function byName(address: string): string {
  const url = new URL(address)
  if (['127.0.0.1', '[::1]'].includes(url.hostname)) url.hostname = 'localhost'
  return url.origin
}

/**
 * What is wrong with the links that mails would carry: those to unsubscribe must open for everybody who gets one, and RFC 8058 wants https.
 * Mail that goes to this machine only is a test and may carry what it likes.
 * @returns undefined when all is well; `fatal` when no link would work for anybody
 */
export function linksInMails(
  config: Pick<Config, 'publicUrl' | 'smtpUrl'>,
): { fatal: boolean; says: string } | undefined {
  if (config.smtpUrl === undefined || thisMachine.has(new URL(config.smtpUrl).hostname)) return undefined
  const set = 'Set INTERLOCK_PUBLIC_URL to the https address under which people reach this server.'
  if (config.publicUrl === undefined)
    return {
      fatal: true,
      says: `Mail goes out (INTERLOCK_SMTP_URL), but its links would lead to this machine’s own address. ${set}`,
    }
  const { protocol, hostname } = new URL(config.publicUrl)
  if (thisMachine.has(hostname))
    return {
      fatal: true,
      says: `Mail goes out (INTERLOCK_SMTP_URL), but its links would lead to ${config.publicUrl}, which is every reader’s own machine. ${set}`,
    }
  if (protocol !== 'https:')
    return {
      fatal: false,
      says: `The links in mails lead to ${config.publicUrl}: without https, mail programs offer no one-click unsubscribing (RFC 8058). ${set}`,
    }
  return undefined
}

/** Name and meaning of every variable, for `interlock help` and docs/operations. */
export const environmentMeanings = Object.entries(Environment.shape).map(([name, schema]) => ({
  name,
  meaning: schema.description ?? '',
}))
