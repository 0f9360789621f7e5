import { expect, it } from 'vitest'
import { isDeeperThan } from './depth.ts'

it.each([
  ['[]', 0, true],
  ['[[]]', 2, false],
  ['[[[]]]', 2, true],
  ['{"a":[1,{"b":2}]}', 3, false],
  ['["[[[[[["]', 1, false],
  [String.raw`["\"[[[["]`, 1, false],
  [String.raw`["\\",[[]]]`, 2, true],
  ['['.repeat(100_000), 32, true],
])('%s deeper than %i: %s', (text, most, expected) => {
  expect(isDeeperThan(text, most)).toBe(expected)
})
