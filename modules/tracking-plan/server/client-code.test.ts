import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PlanContent } from '../contract.ts'
import { clientOf } from './client-code.ts'

const root = join(import.meta.dirname, '../../..')
const content = PlanContent.parse({
  events: [
    {
      type: 'track',
      name: 'Order Completed',
      description: 'Somebody paid. */ alert(1) /*',
      properties: [
        { name: 'total', type: 'number', required: true, min: 0, meaning: 'Sum with tax', purpose: 'Revenue' },
        { name: 'address.city', type: 'string', required: true },
        { name: 'size', type: 'string', values: ['S', '"M"\\'] },
        { name: 'at-time', type: 'time' },
      ],
    },
    { type: 'track', name: 'order completed', status: 'deprecated' },
    { type: 'track', name: '123 “ñ”', properties: [{ name: 'x', type: 'array' }] },
    { type: 'page', name: 'Checkout', properties: [{ name: 'step', type: 'integer', required: true }] },
    { type: 'page' },
    { type: 'identify', properties: [{ name: 'email', type: 'email', sensitivity: 2 }] },
    { type: 'group', properties: [{ name: 'plan', type: 'string' }] },
  ],
})
const { text, fileName } = clientOf('Läden & “web”', {
  sourceId: 'source_1' as never,
  version: 3,
  content,
  note: '',
  savedAt: '',
  savedBy: '',
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'il-client-'))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'tracking.ts'), text)
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** What tsc says about a use of the client. */
async function compile(use: string): Promise<string[]> {
  await writeFile(join(folder, 'use.ts'), use)
  const flags = [
    '--noEmit',
    '--strict',
    '--exactOptionalPropertyTypes',
    '--skipLibCheck',
    '--target',
    'es2023',
    '--module',
    'nodenext',
    '--lib',
    'es2023,dom',
  ]
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), ...flags, '--allowImportingTsExtensions', 'use.ts'],
      { cwd: folder },
      (_error, out) => {
        resolve(out.split('\n').filter((line) => line.includes('error')))
      },
    )
  })
}

describe('the client that is made from a plan', () => {
  it('compiles over the SDK of Segment, and what the plan allows compiles', async () => {
    const use = `
      import { AnalyticsBrowser } from '@segment/analytics-next'
      import { createTracking } from './tracking.ts'
      const tracking = createTracking(AnalyticsBrowser.load({ writeKey: 'x' }))
      tracking.orderCompleted({ total: 1, address: { city: 'Umeå' }, size: 'S', 'at-time': '2026-01-01' })
      tracking.orderCompleted2()
      tracking.event123Ñ({ x: [1] })
      tracking.pageCheckout({ step: 1 })
      tracking.page('Anything')
      tracking.identify('u', { email: 'a@b.example' })
      tracking.group('g')
    `
    expect(await compile(use)).toEqual([])
    expect(fileName).toBe('la-den-web-tracking.ts')
  })

  it('does not compile what the plan does not allow', async () => {
    const wrong = [
      `tracking.orderCompleted({ total: '1', address: { city: '' } })`,
      `tracking.orderCompleted({ total: 1 })`,
      `tracking.orderCompleted({ total: 1, address: { city: '' }, more: 1 })`,
      `tracking.orderCompleted({ total: 1, address: { city: '' }, size: 'XL' })`,
      `tracking.unheardOf()`,
      `tracking.pageCheckout()`,
      `tracking.identify()`,
    ]
    const use = `import { createTracking } from './tracking.ts'
declare const analytics: Parameters<typeof createTracking>[0]
const tracking = createTracking(analytics)
${wrong.join('\n')}`
    const lines = (await compile(use)).map((line) => Number(/use\.ts\((\d+)/.exec(line)?.[1]) - 4)
    expect([...new Set(lines)]).toEqual(wrong.map((_one, at) => at))
  })

  it('hands on the very names of the plan, and says the meaning beside each property', async () => {
    const { createTracking } = (await import(pathToFileURL(join(folder, 'tracking.ts')).href)) as {
      createTracking: (analytics: object) => Record<string, (...given: unknown[]) => unknown>
    }
    const said: unknown[] = []
    const say =
      (what: string) =>
      (...given: unknown[]) =>
        said.push([what, ...given])
    const tracking = createTracking({
      track: say('track'),
      page: say('page'),
      identify: say('identify'),
      group: say('group'),
    })
    tracking['orderCompleted']?.({ total: 1 })
    tracking['event123Ñ']?.()
    tracking['pageCheckout']?.({ step: 2 })
    tracking['identify']?.('u')
    expect(said).toEqual([
      ['track', 'Order Completed', { total: 1 }],
      ['track', '123 “ñ”', {}],
      ['page', 'Checkout', { step: 2 }],
      ['identify', 'u', {}],
    ])
    expect(text).toContain('* Sum with tax')
    expect(text).toContain('* For: Revenue')
    expect(text).toContain('@deprecated')
  })
})
