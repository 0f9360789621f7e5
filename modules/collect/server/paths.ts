import type { EventType } from '../contract.ts'

/** Segment's long and short names; RudderStack's SDKs use the long ones. */
export const singles: Readonly<Record<string, EventType>> = {
  identify: 'identify',
  i: 'identify',
  track: 'track',
  t: 'track',
  page: 'page',
  p: 'page',
  screen: 'screen',
  s: 'screen',
  group: 'group',
  g: 'group',
  alias: 'alias',
  a: 'alias',
}
export const batches = ['/v1/batch', '/v1/b', '/v1/import', '/beacon/v1/batch']

/** The type that a path gives to its event; undefined for a batch. */
export const typeOfPath = (path: string): EventType | undefined => singles[path.split('/').pop() ?? '']
