import { seededRandom } from '../../lib/seeded/seeded.ts'
import type { JournalFile, JournalFiles } from '../../platform/journal/files.ts'

/** Numbers from a seed, so that a failing run can be repeated exactly. */
export function dice(seed: number) {
  const next = seededRandom(seed)
  return {
    next,
    below: (limit: number) => Math.floor(next() * limit),
    chance: (probability: number) => next() < probability,
  }
}
export type Dice = ReturnType<typeof dice>

interface Inode {
  /** What a power cut cannot take. */
  durable: Buffer
  /** What a reader sees. */
  seen: Buffer
  /** Writes since the last sync, in order. */
  unsynced: { at: number; bytes: Buffer }[]
}

export interface Faults {
  /** Probability that an fsync fails. As in Linux, the pages are then clean: the next fsync says yes and they are still not on the disk. */
  syncFails: number
  /** Probability that a write fails after writing a part. */
  writeFails: number
}

const sector = 64

/**
 * A disk of the meanest legal kind. A power cut keeps, loses or tears any part of what was not synced, in any order, and
 * loses creations and renames that no directory sync covered. Every operation takes a random number of turns, so that
 * everything that can happen between two of them does.
 */
export function simulatedDisk(random: Dice, faults: Faults = { syncFails: 0, writeFails: 0 }) {
  let names = new Map<string, Inode>()
  let durableNames = new Map<string, Inode>()
  let power = 0
  const count = { syncs: 0, syncFailures: 0, crashes: 0, writeFailures: 0 }

  /** One life of the computer: operations of an earlier life never answer. */
  function boot(): JournalFiles {
    const life = power
    /** An operation: it happens at one instant, some turns after it was asked for, and never after the power went. */
    const operation =
      <Sent extends unknown[], Result>(happen: (...sent: Sent) => Result) =>
      async (...sent: Sent): Promise<Result> => {
        for (let turns = random.below(4); turns >= 0; turns--) await Promise.resolve()
        if (life !== power) await new Promise(() => {})
        return happen(...sent)
      }
    const inode = (name: string): Inode => {
      const found = names.get(name)
      if (found === undefined) throw Object.assign(new Error(`ENOENT: ${name}`), { code: 'ENOENT' })
      return found
    }
    const opened = (file: Inode): JournalFile => ({
      write: operation((bytes: Uint8Array, at: number) => {
        const copy = Buffer.from(bytes)
        const fails = random.chance(faults.writeFails)
        const part = fails ? copy.subarray(0, random.below(copy.length)) : copy
        if (file.seen.length < at + part.length) {
          file.seen = Buffer.concat([file.seen, Buffer.alloc(at + part.length - file.seen.length)])
        }
        part.copy(file.seen, at)
        file.unsynced.push({ at, bytes: part })
        if (fails) {
          count.writeFailures++
          throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
        }
      }),
      read: operation((into: Uint8Array, at: number) => {
        return file.seen.copy(into, 0, at, at + into.length)
      }),
      truncate: operation((size: number) => {
        file.seen = file.seen.subarray(0, size)
        file.unsynced = file.unsynced.map((write) => ({
          at: write.at,
          bytes: write.bytes.subarray(0, Math.max(0, size - write.at)),
        }))
      }),
      sync: operation(() => {
        if (random.chance(faults.syncFails)) {
          count.syncFailures++
          file.durable = torn(file)
          file.unsynced = []
          throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
        }
        count.syncs++
        // Pages that an earlier, failed sync marked clean are not written by this one.
        file.durable = keep(file.durable, file.unsynced, () => true)
        file.unsynced = []
      }),
      close: operation(() => {}),
    })
    return {
      path: '/simulated',
      list: operation(() => {
        return [...names.keys()]
      }),
      open: operation((name: string, how: 'create' | 'existing') => {
        if (how === 'create') {
          if (names.has(name)) throw Object.assign(new Error(`EEXIST: ${name}`), { code: 'EEXIST' })
          names.set(name, { durable: Buffer.alloc(0), seen: Buffer.alloc(0), unsynced: [] })
        }
        return opened(inode(name))
      }),
      read: operation((name: string) => {
        return Buffer.from(inode(name).seen)
      }),
      size: operation((name: string) => {
        return inode(name).seen.length
      }),
      rename: operation((from: string, to: string) => {
        const file = inode(from)
        names.delete(from)
        names.set(to, file)
      }),
      remove: operation((name: string) => {
        inode(name)
        names.delete(name)
      }),
      syncDirectory: operation(() => {
        durableNames = new Map(names)
      }),
      space: operation(() => {
        return { free: 1e12, total: 1e12 }
      }),
      writable: operation(() => {}),
    }
  }

  const keep = (onto: Buffer, writes: Inode['unsynced'], kept: () => boolean): Buffer => {
    let result = Buffer.from(onto)
    for (const { at, bytes } of writes) {
      for (let from = 0; from < bytes.length; from += sector) {
        if (!kept()) continue
        const part = bytes.subarray(from, from + sector)
        if (result.length < at + from + part.length) {
          result = Buffer.concat([result, Buffer.alloc(at + from + part.length - result.length)])
        }
        part.copy(result, at + from)
      }
    }
    return result
  }

  const torn = (file: Inode): Buffer => {
    const probability = random.next()
    return keep(file.durable, file.unsynced, () => random.chance(probability))
  }

  return {
    boot,
    count,
    /** The power goes: what was not synced is kept, lost or torn, sector by sector. */
    crash(): void {
      power++
      count.crashes++
      // A journalling file system keeps directory changes in order: it may have got as far as now, or not.
      if (random.chance(0.5)) names = new Map(durableNames)
      durableNames = new Map(names)
      for (const file of new Set(names.values())) {
        file.durable = torn(file)
        file.seen = Buffer.from(file.durable)
        file.unsynced = []
      }
    },
    /** The process dies, the computer lives: everything that was written is still seen. */
    kill(): void {
      power++
      count.crashes++
    },
    /** Changes a byte behind everybody's back. */
    flip(name: string, at: number, mask: number): void {
      const file = names.get(name)
      if (file === undefined) throw new Error(`There is no ${name}`)
      file.seen[at] = (file.seen[at] ?? 0) ^ mask
      file.durable = Buffer.from(file.seen)
    },
    files: () => new Map([...names].map(([name, file]) => [name, file.seen.length])),
  }
}
