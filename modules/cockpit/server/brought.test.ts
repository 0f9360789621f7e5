import { describe, expect, it } from 'vitest'
import { tasksOfBrought, type Brought } from './brought.ts'

const nothing: Brought = { pulls: [], feeds: [], webhooks: [], standing: [] }
const fresh = { freshAt: '2026-11-25T09:00:00.000Z', promiseHours: 24, missed: false }
const late = { freshAt: '2026-11-23T09:00:00.000Z', promiseHours: 24, missed: true }
const taking = {
  fileName: 'customers-2026-11-25.csv',
  state: 'open',
  importState: 'checked',
  asks: { first: false, added: ['shoe_size'], missing: ['fax', 'a', 'b', 'c'] },
  takenAt: '2026-11-25T08:05:00.000Z',
} satisfies Brought['standing'][number]['last']

describe('what other systems bring needs somebody', () => {
  it('when its promise of freshness was missed: then IT', () => {
    const brought: Brought = {
      ...nothing,
      pulls: [
        { id: 'pull_01', name: 'CRM', freshness: late },
        { id: 'pull_02', name: 'Shop', freshness: fresh },
      ],
      webhooks: [{ id: 'hook_01', name: 'Orders', freshness: { freshAt: null, promiseHours: 1, missed: true } }],
    }
    expect(tasksOfBrought(brought, 'it').map(({ title, sentence, href }) => [title, sentence, href])).toEqual([
      [
        'What the pull “CRM” brings is older than was promised',
        'It was promised to be at most a day old; what is here is older.',
        '/pulls/pull_01',
      ],
      [
        'What the webhook “Orders” brings is older than was promised',
        'It was promised to be at most an hour old; nothing ever came.',
        '/webhooks/hook_01',
      ],
    ])
    expect(tasksOfBrought(brought, 'marketing')).toEqual([])
  })

  it('when a file has other columns than the one before: then both sides', () => {
    const brought: Brought = {
      ...nothing,
      standing: [
        { id: 'standing_01', name: 'Nightly', freshness: fresh, last: taking },
        { id: 'standing_02', name: 'Read', freshness: fresh, last: { ...taking, state: 'read', asks: null } },
        { id: 'standing_03', name: 'New', freshness: fresh, last: null },
      ],
    }
    for (const side of ['it', 'marketing'] as const)
      expect(tasksOfBrought(brought, side)).toMatchObject([
        {
          title: '“Nightly” asks what is in customers-2026-11-25.csv',
          sentence:
            'Its columns are not those of the file before (new: shoe_size; gone: fax, a, b and more). Nothing of it is read until somebody looks.',
          href: '/standing-imports/standing_01',
        },
      ])
  })
})
