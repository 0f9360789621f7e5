import { spawn } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeDataDirs } from '../../platform/data-dir/remove.ts'

/** A server of its own in a process of its own, with the demo company loaded. */
export async function aDemoServer(
  say: (line: string) => void,
): Promise<{ url: string; dataDir: string; stop(): Promise<void>; end(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-story-'))
  const dataDir = join(folder, 'data')
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../apps/server/cli.ts'), 'serve', '--demo', '--port', '0', '--data', dataDir],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, INTERLOCK_LOG: 'error' } },
  )
  let output = ''
  const url = await new Promise<string>((resolve, reject) => {
    let found = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      found ||= /answers at (http:\S+)/.exec(output)?.[1] ?? ''
      if (found !== '' && output.includes('The demo company is loaded')) resolve(found)
    })
    child.on('exit', (code) => {
      reject(new Error(`the server ended with ${String(code)}:\n${output}`))
    })
  })
  say(`the demo company answers at ${url}`)
  /** Ends it and leaves its data. */
  async function end(): Promise<void> {
    child.removeAllListeners('exit')
    const gone = new Promise<void>((resolve) =>
      child.on('exit', () => {
        resolve()
      }),
    )
    child.kill('SIGTERM')
    await gone
  }
  return {
    url,
    dataDir,
    end,
    async stop() {
      await end()
      await removeDataDirs(folder)
    },
  }
}
