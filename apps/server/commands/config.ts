import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Plan } from '../../../modules/tracking-plan/contract.ts'
import {
  differencesOf,
  readPlansFile,
  writePlansFile,
  type Difference,
  type PlanInFile,
} from '../../../modules/tracking-plan/server/index.ts'
import { ask, type RunningServer } from '../control.ts'
import { common, Misuse, type Command } from './command.ts'
import { sourcesOf, withServer } from './server-of.ts'

export const configuration: Command = {
  name: 'config',
  usage: 'config export|plan|apply FILE',
  summary:
    'Tracking plans as YAML: export writes them into a file (- prints them), plan shows what a file would change, apply changes it. Plans of sources that the file does not name stay as they are.',
  options: common,
  async run({ config, rest, print, json }) {
    const [deed, path, ...more] = rest
    if (path === undefined || more.length > 0 || (deed !== 'export' && deed !== 'plan' && deed !== 'apply'))
      throw new Misuse('Say: interlock config export|plan|apply FILE, for example: interlock config plan plans.yaml')
    if (deed === 'export') {
      const plans = await withServer(config, presentPlans)
      const text = writePlansFile(plans.map(({ source, content }) => ({ source, content })))
      if (json) print(JSON.stringify({ plans: plans.length, text }))
      else if (path === '-') print(text.trimEnd())
      else print(`${path}: ${said(plans.length, 'tracking plan', 'tracking plans')}.`)
      if (path !== '-') writeFileSync(path, text)
      return 0
    }
    if (!existsSync(path)) throw new Misuse(`There is no file ${path}.`)
    const read = readPlansFile(readFileSync(path, 'utf8'))
    if ('problems' in read) {
      if (json) print(JSON.stringify({ problems: read.problems }))
      else for (const { line, says } of read.problems) print(`${path}:${String(line)}: ${says}`)
      return 1
    }
    return withServer(config, async (server) => {
      const changes = await changesOf(server, read.plans)
      const unknown = changes.filter((one) => one.sourceId === undefined)
      if (unknown.length > 0) {
        const sentences = unknown.map(
          ({ source }) => `There is no source named “${source}”. Add it on the page Sources, or correct the name.`,
        )
        print(json ? JSON.stringify({ problems: sentences }) : sentences.join('\n'))
        return 1
      }
      const real = changes.filter((one) => one.differences.length > 0)
      if (deed === 'apply')
        for (const { sourceId, version, content } of real)
          await ask(server, 'PUT', `/api/tracking-plans/${sourceId ?? ''}`, {
            content,
            basedOn: version,
            note: 'Applied from a file',
          })
      if (json) {
        print(
          JSON.stringify({
            applied: deed === 'apply',
            changes: real.map(({ source, differences }) => ({ source, differences })),
          }),
        )
        return 0
      }
      for (const { source, differences } of real) {
        print(source)
        for (const { sign, what } of differences) print(`  ${sign} ${what}`)
      }
      const plans = said(real.length, 'plan', 'plans')
      if (real.length === 0) print('Nothing changes: every plan is as the file says.')
      else
        print(
          deed === 'apply'
            ? `${plans} saved; in force within five seconds.`
            : `${plans} would change. Make it so: interlock config apply ${path}`,
        )
      return 0
    })
  },
}

export const codegen: Command = {
  name: 'codegen',
  usage: 'codegen SOURCE',
  summary:
    'Make a typed TypeScript client from the tracking plan of a source: what the plan does not allow does not compile.',
  options: { ...common, out: { type: 'string', value: 'FILE', says: 'where to write it (default: standard output)' } },
  async run({ config, options, rest, print, json }) {
    const [name, ...more] = rest
    if (name === undefined || more.length > 0)
      throw new Misuse('Say: interlock codegen SOURCE, for example: interlock codegen "Web shop" --out src/tracking.ts')
    return withServer(config, async (server) => {
      const source = (await sourcesOf(server)).find((one) => one.name === name)
      if (source === undefined) throw new Error(`There is no source named “${name}”.`)
      const made = (await ask(server, 'GET', `/api/tracking-plans/${source.id}/client`)) as {
        fileName: string
        text: string
      }
      const out = options['out']
      if (typeof out === 'string') writeFileSync(out, made.text)
      if (json) print(JSON.stringify({ ...made, ...(typeof out === 'string' ? { out } : {}) }))
      else print(typeof out === 'string' ? `${out} is made from the tracking plan of “${name}”.` : made.text.trimEnd())
      return 0
    })
  },
}

const said = (count: number, one: string, many: string) => `${String(count)} ${count === 1 ? one : many}`

async function presentPlans(server: RunningServer): Promise<(PlanInFile & { sourceId: string; version: number })[]> {
  const [sources, { plans }] = await Promise.all([
    sourcesOf(server),
    ask(server, 'GET', '/api/tracking-plans') as Promise<{ plans: Plan[] }>,
  ])
  const names = new Map<string, string>(sources.map((source) => [source.id, source.name]))
  return plans
    .map(({ sourceId, version, content }) => ({ source: names.get(sourceId) ?? '', sourceId, version, content }))
    .filter((plan) => plan.source !== '')
    .sort((a, b) => (a.source < b.source ? -1 : 1))
}

/** What each plan of the file would change; without a sourceId where there is no such source. */
async function changesOf(
  server: RunningServer,
  plans: readonly PlanInFile[],
): Promise<(PlanInFile & { sourceId: string | undefined; version: number; differences: Difference[] })[]> {
  const [sources, present] = await Promise.all([sourcesOf(server), presentPlans(server)])
  return plans.map((plan) => {
    const source = sources.find((one) => one.name === plan.source)
    const before = present.find((one) => one.sourceId === source?.id)
    return {
      ...plan,
      sourceId: source?.id,
      version: before?.version ?? 0,
      differences: differencesOf(before?.content, plan.content),
    }
  })
}
