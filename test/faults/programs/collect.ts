import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { diskFull } from '../collect/disk-full.ts'
import { engineAway, engineKilled } from '../collect/engines-away.ts'
import type { Outcome } from '../collect/house.ts'
import { bitFlips, powerLoss } from '../collect/journal-damage.ts'
import { kills } from '../collect/kills.ts'
import { aFreePort } from '../parts/product.ts'
import { table } from '../parts/table.ts'
import { removeDataDirs } from '../../../platform/data-dir/remove.ts'

export const summary =
  'What takes events in: 50 times SIGKILL (--long: 200), engines killed and away, a full disk, damaged and torn journals. About 20 minutes.'

export async function run(say: (line: string) => void, long: boolean): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-faults-'))
  const place = { dataDir: join(folder, 'data'), port: await aFreePort() }
  const outcomes: Outcome[] = []
  const others: { fault: string; says: string; broken: string[] }[] = []
  const done = (outcome: Outcome) => {
    outcomes.push(outcome)
    say(
      `  ${outcome.fault}: lost ${String(outcome.lost)}, duplicated ${String(outcome.duplicated)}, residue ${String(outcome.residue)}; ${outcome.says}`,
    )
  }
  try {
    others.push({ fault: 'bit flips and cuts', ...(await bitFlips(1000)) })
    others.push({ fault: 'power loss', ...(await powerLoss(long ? 100_000 : 10_000)) })
    for (const one of others) say(`  ${one.fault}: ${one.says}`)
    done(await kills(place, long ? 200 : 50))
    done(await engineKilled(place, 'ClickHouse'))
    done(await engineKilled(place, 'PostgreSQL'))
    done(await engineAway(place, 'PostgreSQL', 60, 60))
    const small = await diskFull(folder, place.port)
    if (small === undefined) say('  disk full: skipped, because nothing can be mounted here (it needs root)')
    else done(small)
    done(await engineAway(place, 'ClickHouse', 600, 300))

    const head = ['fault', 'sent', 'acknowledged', 'stored', 'duplicated', 'lost', 'residue']
    say(
      table([
        head,
        ...outcomes.map((one) => [
          one.fault,
          ...[one.sent, one.acknowledged, one.stored, one.duplicated, one.lost, one.residue].map(String),
        ]),
      ]),
    )
    const broken = [
      ...others.flatMap((one) => one.broken.slice(0, 5).map((what) => `${one.fault}: ${what}`)),
      ...outcomes.flatMap((one) => [
        ...one.broken.map((what) => `${one.fault}: ${what}`),
        ...(one.lost + one.duplicated + one.residue > 0
          ? [`${one.fault}: something acknowledged is not stored exactly once`]
          : []),
      ]),
    ]
    for (const one of broken) say(`✕ ${one}`)
    if (broken.length === 0) say('Everything acknowledged is stored exactly once, and the ledger explains all of it.')
    return broken.length === 0
  } finally {
    await removeDataDirs(folder)
  }
}
