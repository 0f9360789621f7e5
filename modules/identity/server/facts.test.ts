import { expect, it } from 'vitest'
import { run } from '../../../test/property/programs/identity.ts'

it('who is who follows from the facts alone: forty stories of `npm run property -- identity`', async () => {
  const said: string[] = []
  const held = await run((line) => said.push(line), { seeds: 40, from: 20_000 })
  expect(held, said.join('\n')).toBe(true)
}, 120_000)
