import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { open, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { underFire, type Outcome } from './house.ts'

const mebibyte = 1024 * 1024
/** The journal stops below 1 GiB, so the disk has room for that and for the engines. */
const diskBytes = 1900 * mebibyte

/** A small disk in memory that is filled: first below what the journal keeps free, then to the last byte. @returns undefined where nothing can be mounted */
export async function diskFull(folder: string, port: number): Promise<Outcome | undefined> {
  const mounted = join(folder, 'small-disk')
  mkdirSync(mounted)
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${String(diskBytes)},mode=755`, 'tmpfs', mounted])
  if (mount.status !== 0) return undefined
  try {
    return await underFire(
      'disk full',
      { dataDir: join(mounted, 'data'), port, eventsPerSecond: 300 },
      async (_house, sender) => {
        const broken: string[] = []
        await sleep(3000)
        const says: string[] = []
        for (const leave of [700 * mebibyte, 0]) {
          const ballast = join(mounted, 'ballast')
          await fill(ballast, mounted, leave)
          await sleep(4000)
          const before = sender.acknowledged()
          await sleep(16_000)
          const taken = sender.acknowledged() - before
          if (taken > 0)
            broken.push(`${String(taken)} events were acknowledged with ${String(leave / mebibyte)} MiB free`)
          const live = await fetch(`http://127.0.0.1:${String(port)}/health/live`).catch(() => undefined)
          if (live?.status !== 200)
            broken.push(`/health/live does not answer with ${String(leave / mebibyte)} MiB free`)
          rmSync(ballast)
          const freedAt = performance.now()
          while (sender.acknowledged() === before && performance.now() - freedAt < 120_000) await sleep(100)
          const backMs = performance.now() - freedAt
          if (backMs > 30_000) broken.push(`it took ${String(Math.round(backMs / 1000))} s to take events again`)
          says.push(
            `${String(leave / mebibyte)} MiB left: takes events again ${String(Math.round(backMs))} ms after there is room`,
          )
          await sleep(3000)
        }
        return { says: says.join('; '), broken }
      },
    )
  } finally {
    spawnSync('umount', ['--lazy', mounted])
  }
}

async function fill(path: string, disk: string, leaveBytes: number): Promise<void> {
  const file = await open(path, 'w')
  const block = Buffer.alloc(mebibyte)
  try {
    for (;;) {
      const { bavail, bsize } = await statfs(disk)
      if (bavail * bsize <= leaveBytes) return
      const { bytesWritten } = await file.write(block, 0, Math.min(mebibyte, bavail * bsize - leaveBytes))
      if (bytesWritten === 0) return
    }
  } catch (error) {
    // Others write too: it is as full as it gets.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  } finally {
    await file.close()
  }
}
