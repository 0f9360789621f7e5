import type { Json } from '../../collect/contract.ts'
import type { Contract } from '../contract.ts'
import type { Leaving } from './kinds/kind.ts'

/** What a made-up person would have in a field of this name: recognisable, and nobody's. */
function madeUp(path: string): Json {
  const name = path.split('.').at(-1)?.toLowerCase() ?? ''
  if (/e-?mail/.test(name)) return 'test@interlock.example'
  if (/phone|mobile/.test(name)) return '+49 30 23125 000'
  if (/price|total|revenue|value|amount|quantity/.test(name)) return 12.5
  if (/name/.test(name)) return 'Test'
  if (/(^|_)id$|id$/.test(name)) return 'test'
  return `test ${name}`
}

/** One made-up event with every field of a contract, so that a receiver can be tried before anything of anybody leaves. */
export function rehearsalOf(contract: Contract, now: Date, key: string): Leaving {
  const [wanted] = contract.events
  return {
    key,
    type: wanted?.type ?? 'track',
    name: wanted?.name ?? 'Interlock Test',
    time: now.toISOString(),
    receivedMs: now.getTime(),
    fields: new Map(contract.fields.map((field) => [field, madeUp(field)])),
    journalId: 'test',
    position: 0,
  }
}
