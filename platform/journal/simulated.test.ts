import { describe, expect, it } from 'vitest'
import { journalStory } from '../../test/make/journal-story.ts'

const seeds = 3000

describe('the journal on a disk that loses what was not synced', () => {
  it(`keeps every acknowledged record, once, over ${seeds} simulated power cuts and kills`, async () => {
    const sum = { acknowledged: 0, crashes: 0 }
    for (let seed = 1; seed <= seeds; seed++) {
      const one = await journalStory(seed, { syncFails: 0, writeFails: 0 })
      sum.acknowledged += one.acknowledged
      sum.crashes += one.crashes
    }
    expect(sum.acknowledged, 'the simulation did acknowledge something').toBeGreaterThan(seeds)
    expect(sum.crashes).toBeGreaterThan(seeds * 2)
  })

  it(`keeps them when fsync and write fail as well, over ${seeds} seeds`, async () => {
    const sum = { acknowledged: 0, syncFailures: 0, writeFailures: 0 }
    for (let seed = 1; seed <= seeds; seed++) {
      const one = await journalStory(seed + 1_000_000, { syncFails: 0.03, writeFails: 0.03 })
      sum.acknowledged += one.acknowledged
      sum.syncFailures += one.syncFailures
      sum.writeFailures += one.writeFailures
    }
    expect(sum.acknowledged).toBeGreaterThan(seeds)
    expect(sum.syncFailures, 'fsync did fail').toBeGreaterThan(100)
    expect(sum.writeFailures, 'writes did fail').toBeGreaterThan(100)
  })
})
