import { expect, it } from 'vitest'
import { normaliseEmail } from './email.ts'

it.each([
  [' Ann.Łoś@Example.COM ', 'ann.łoś@example.com'],
  ['<ann@fjörd.example>', 'ann@xn--fjrd-6qa.example'],
  ['ann@xn--fjrd-6qa.example.', 'ann@xn--fjrd-6qa.example'],
  ['a.b+tag@example.com', 'a.b+tag@example.com'],
  ['"x@evil y"@int.example', undefined],
  ['a@b\r\nBcc:x', undefined],
  ['@example.com', undefined],
  ['nobody', undefined],
  [`${'a'.repeat(320)}@example.com`, undefined],
])('%s is looked up as %s', (given, spelled) => {
  expect(normaliseEmail(given)).toBe(spelled)
})
