import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { readConfig } from '../../../platform/config/config.ts'
import { ask } from '../control.ts'
import type { Import } from '../../../modules/imports/contract.ts'
import { importFile } from './import.ts'
import { withServer } from './server-of.ts'
import { removeDataDirs } from '../../../platform/data-dir/remove.ts'

const folder = await mkdtemp(join(tmpdir(), 'il-import-'))
afterAll(() => removeDataDirs(folder))

it('a file is tried dry and then read in from the command line, into a source that it makes, and again changes nothing', async () => {
  const file = join(folder, 'kunden.csv')
  await writeFile(file, 'E-Mail;Vorname\nåsa@fjörd.example;Åsa\no’brien@fjord.example;Zoë\n')
  const config = readConfig({ INTERLOCK_LOG: 'silent' }, { dataDir: join(folder, 'data'), port: 0 })
  const run = async (dry: boolean) => {
    const printed: string[] = []
    const code = await importFile.run({
      config,
      options: dry ? { 'dry-run': true } : {},
      rest: ['Altes CRM', file],
      json: true,
      print: (text) => printed.push(text),
    })
    const { counts } = JSON.parse(printed.at(-1) ?? '{}') as { counts: { rows: number; unchanged: number } }
    return { code, rows: counts.rows, unchanged: counts.unchanged }
  }
  expect(await run(true)).toEqual({ code: 0, rows: 2, unchanged: 0 })
  expect(await run(false)).toEqual({ code: 0, rows: 2, unchanged: 0 })
  expect(await run(false)).toEqual({ code: 0, rows: 2, unchanged: 2 })
  // Meant otherwise and read in on its page, the next file of this shape is read that way.
  await withServer(config, async (server) => {
    const [last] = (await ask(server, 'GET', '/api/imports')) as Import[]
    if (last === undefined) throw new Error('nothing was read in')
    await ask(server, 'PUT', `/api/imports/${last.id}/plan`, {
      format: last.format,
      columns: last.columns.map(({ index, type, meaning }) => ({
        index,
        type,
        meaning: index === 1 ? { kind: 'trait', name: 'nickname' } : meaning,
      })),
    })
    await ask(server, 'POST', `/api/imports/${last.id}/run`)
  })
  const printed: string[] = []
  await importFile.run({
    config,
    options: { 'dry-run': true },
    rest: ['Altes CRM', file],
    json: false,
    print: (text) => printed.push(text),
  })
  expect(printed.join('\n')).toMatch(/Read as the last file with these columns was[^]*Vorname +trait nickname/)
}, 120_000)
