import type { Mapping } from '../../../../lib/mapping/mapping.ts'
import { presetNames, type PresetName } from '../../contract.ts'
import { shopify } from './shopify.ts'
import { at, rule } from './words.ts'
import { woocommerce } from './woocommerce.ts'

/** For a sender that speaks Segment's calls already. */
const plain: Mapping = { topic: at('type'), rules: [rule({ topics: [], type: 'asItIs' })] }

const says: Record<PresetName, string> = {
  shopify: 'By the payloads of API version 2025-10. Test orders say nothing; consent counts with its own time.',
  woocommerce: 'By the payloads of REST API version 3. An order is complete when it is paid.',
  plain: 'Every body is one identify, track, page, screen, group or alias call. A beginning for a mapping of your own.',
}
const mappings: Record<PresetName, Mapping> = { shopify, woocommerce, plain }

export const presets = (Object.keys(mappings) as PresetName[]).map((name) => ({
  name,
  label: presetNames[name],
  says: says[name],
  mapping: mappings[name],
}))
export const presetMapping = (name: PresetName): Mapping => mappings[name]
