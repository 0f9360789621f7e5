import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readConfig } from '../../../platform/config/config.ts'
import { ask, runningServer } from '../control.ts'
import { serve, type Serving } from '../main.ts'
import { Misuse, type Command } from './command.ts'
import { codegen, configuration } from './config.ts'
import { removeDataDirs } from '../../../platform/data-dir/remove.ts'

const folder = await mkdtemp(join(tmpdir(), 'il-config-'))
const config = readConfig({ INTERLOCK_LOG: 'silent' }, { dataDir: join(folder, 'data'), port: 0 })
let serving: Serving
beforeAll(async () => {
  serving = await serve(config, { demo: false, pages: false, print: () => undefined })
  const server = runningServer(config.dataDir)
  if (server !== undefined) await ask(server, 'POST', '/api/sources', { name: 'Läden “web”', kind: 'web' })
})
afterAll(async () => {
  await serving.stop()
  await removeDataDirs(folder)
})

async function run(command: Command, rest: string[], options: Record<string, string> = {}) {
  const printed: string[] = []
  const code = await command.run({ config, options, rest, json: false, print: (text) => printed.push(text) })
  return { code, text: printed.join('\n') }
}

it('a plan is shown, applied, exported and applied again without a difference; a wrong one is told with its lines', async () => {
  const file = join(folder, 'plans.yaml')
  await writeFile(
    file,
    'trackingPlans:\n  - source: Läden “web”\n    mode: omit\n    events:\n      - {type: track, name: Köp, properties: [{name: total, type: number}]}\n',
  )
  const planned = await run(configuration, ['plan', file])
  expect(planned.code).toBe(0)
  expect(planned.text).toContain('+ Köp (1 properties)')
  expect((await run(configuration, ['plan', file])).text).toBe(planned.text)
  expect((await run(configuration, ['apply', file])).text).toContain('1 plan saved')
  expect((await run(configuration, ['apply', file])).text).toBe('Nothing changes: every plan is as the file says.')

  const out = join(folder, 'out.yaml')
  await run(configuration, ['export', out])
  const text = await readFile(out, 'utf8')
  expect((await run(configuration, ['plan', out])).text).toMatch(/^Nothing changes/)
  await run(configuration, ['apply', out])
  expect((await run(configuration, ['export', '-'])).text).toBe(text.trimEnd())

  await writeFile(file, text.replace('mode: omit', 'mode: strict'))
  const wrong = await run(configuration, ['apply', file])
  expect([wrong.code, wrong.text]).toEqual([1, expect.stringMatching(/plans\.yaml:4: mode: /)])
  await writeFile(file, text.replace('Läden', 'Laden'))
  expect(await run(configuration, ['apply', file])).toMatchObject({ code: 1 })
  await expect(run(configuration, ['aply', file])).rejects.toThrow(Misuse)

  const client = join(folder, 'tracking.ts')
  await run(codegen, ['Läden “web”'], { out: client })
  expect(await readFile(client, 'utf8')).toContain('köp(properties: Köp = {})')
  await expect(run(codegen, ['nobody'])).rejects.toThrow('no source named')
}, 120_000)
