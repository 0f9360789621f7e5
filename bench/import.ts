import { createReadStream } from 'node:fs'
import { mkdtemp, open } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import iconv from 'iconv-lite'
import { createRecordReader } from '../lib/csv/records.ts'
import { aChild } from './parts/child.ts'
import { removeDataDirs } from '../platform/data-dir/remove.ts'

/**
 * `npx interlock bench import`: how many rows of a CRM export a second are read into the journal (on disk, each with its last row in PostgreSQL), and
 * how many get through the whole product into records and profiles. The server runs in a process of its own.
 */
export const name = 'import'

interface Read {
  state: string
  rows: number
  sent: number
  unchanged: number
  rejected: number
  readSeconds: number
  seconds: number
  cpuMicros: number
  rssMb: number
  grownMb: number
}

const runs = 5
const rows = 200_000
const rowsThrough = 40_000
const here = join(import.meta.dirname, 'import', 'server.ts')

export async function run(): Promise<{ figures: Record<string, number>; notes: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-bench-import-'))
  try {
    const long = join(folder, 'long.csv')
    const short = join(folder, 'short.csv')
    await writeCustomers(long, rows)
    await writeCustomers(short, rowsThrough)

    const reading = await aChild<object>(here, ['journal', join(folder, 'journal'), long])
    // The first run is the compiler's and fills caches that stay: not counted, but what memory grows by is looked at behind it.
    await reading.ask<Read>('read')
    const reads: Read[] = []
    const parsed: number[] = []
    for (let at = 0; at < runs; at++) {
      parsed.push(rows / (await probe(long)))
      reads.push(await reading.ask<Read>('read'))
    }
    await reading.stop()

    const product = await aChild<object>(here, ['product', join(folder, 'product'), short])
    const through: Read[] = []
    for (let at = 0; at < 3; at++) through.push(await product.ask<Read>('read'))
    await product.stop()

    const wrong = [...reads, ...through].filter(
      (one) => one.state !== 'done' || one.rows !== one.sent + one.unchanged + one.rejected,
    )
    const perSecond = median(reads.map((one) => one.rows / one.readSeconds))
    const probed = median(parsed)
    return {
      figures: {
        rows,
        rows_per_second: whole(median(through.map((one) => one.rows / one.seconds))),
        reading_rows_per_second: whole(perSecond),
        cpu_us_per_row: Math.round(median(reads.map((one) => one.cpuMicros / one.rows)) * 10) / 10,
        parsing_rows_per_second: whole(probed),
        ratio_to_parsing: Math.round((perSecond / probed) * 1000) / 1000,
        rss_mb: Math.max(...reads.map((one) => one.rssMb)),
        rss_grown_mb: Math.max(...reads.map((one) => one.grownMb)),
        unaccounted_runs: wrong.length,
      },
      notes: [
        `reading_rows_per_second: median of ${String(runs)} runs of ${rows.toLocaleString('en-GB')} rows with 10 columns, 1% of them bad; from the file to the journal (fdatasync) and the table of last rows. Nothing takes events out of the journal meanwhile.`,
        `rows_per_second: median of 3 runs of ${rowsThrough.toLocaleString('en-GB')} rows through the whole product, until every event is in ClickHouse and every person has a profile.`,
        `parsing_rows_per_second is the bare probe in the same minute: the same file decoded and cut into cells, nothing else. cpu_us_per_row is the server process alone, all its threads.`,
        `Server, PostgreSQL and bench share ${String(cpus().length)} cores (load average ${loadavg()[0]?.toFixed(1) ?? '?'}). rss_mb is the server process; rss_grown_mb the most that a run added to what it had.`,
      ],
    }
  } finally {
    await removeDataDirs(folder)
  }
}

/** A CRM export with letters that are no ASCII, and one row in a hundred of nobody. */
export async function writeCustomers(file: string, count: number, badEvery = 100): Promise<void> {
  const out = await open(file, 'w')
  let lines = ['customer_no,email,first_name,last_name,phone,birthday,city,country,newsletter,orders']
  for (let at = 0; at < count; at++) {
    lines.push(
      at % badEvery === badEvery - 1
        ? `,,Nobody ${String(at)},Nowhere,,,,,,`
        : `C${String(100_000 + at)},person${String(at)}@mail${String(at % 50)}.example,Åsa ${String(at % 997)},Öberg-${String(at % 4_999)},+4917${String(10_000_000 + at)},19${String(40 + (at % 60))}-0${String(1 + (at % 9))}-1${String(at % 10)},Malmö,SE,yes,${String(at % 30)}`,
    )
    if (lines.length < 5_000) continue
    await out.write(`${lines.join('\n')}\n`)
    lines = []
  }
  await out.write(`${lines.join('\n')}\n`)
  await out.close()
}

/** @returns seconds to decode the file and to cut it into cells */
async function probe(file: string): Promise<number> {
  const began = performance.now()
  const reader = createRecordReader(',')
  const decoder = iconv.getDecoder('utf-8')
  for await (const chunk of createReadStream(file, { highWaterMark: 262_144 }))
    reader.push(decoder.write(chunk as Buffer))
  reader.end()
  return (performance.now() - began) / 1000
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const whole = (value: number) => Math.round(value)
