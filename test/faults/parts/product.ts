import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'

/** The whole product as people start it, in a process group of its own: pages, API, endpoints, and the engines below it. */
export interface Product {
  /** Milliseconds from its start until it answered. */
  readyMs: number
  pid: number
  /** SIGKILL to the whole tree at once: no handler runs, nothing is flushed, neither here nor in the engines. */
  kill(): Promise<void>
  stop(): Promise<void>
}

/** @throws with all it said when it ends before it answers */
export async function aProduct(
  dataDir: string,
  port: number,
  environment: Record<string, string> = {},
): Promise<Product> {
  const began = performance.now()
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../../apps/server/cli.ts'), 'serve', '--data', dataDir, '--port', String(port)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...othersEnvironment(), INTERLOCK_LOG: 'error', ...environment },
    },
  )
  const gone = once(child, 'exit')
  // Whoever stops the program leaves nothing running.
  const last = () => {
    killTree(child)
  }
  process.once('exit', last)
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-10_000)
      if (/Interlock answers at|This node takes events in at/.test(said)) resolve()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    void gone.then(([code, signal]: unknown[]) => {
      reject(new Error(`the product ended with ${String(signal ?? code)}:\n${said}`))
    })
  })
  let asked = false
  // A product that ends by itself says why: whoever waits for it only sees that it is gone.
  void gone.then(([code, signal]: unknown[]) => {
    if (!asked) process.stderr.write(`the product ended with ${String(signal ?? code)}:\n${said}\n`)
  })
  const ended = async () => {
    await gone
    process.off('exit', last)
  }
  return {
    readyMs: performance.now() - began,
    pid: child.pid ?? 0,
    async kill() {
      asked = true
      killTree(child)
      await ended()
    },
    async stop() {
      asked = true
      child.kill('SIGTERM')
      await ended()
    },
  }
}

function killTree(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

/** Without what this shell says about Interlock: the engines are the embedded ones. */
const othersEnvironment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('INTERLOCK_')))

/** Process ids below a process whose command line has some words in it: the engines of a product, to be killed one by one. */
export function below(pid: number, words: string): number[] {
  const processes = readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
      return [{ id: Number(name), parent, line: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ') }]
    } catch {
      // It ended while we looked.
      return []
    }
  })
  const children = (of: number): typeof processes =>
    processes.filter((one) => one.parent === of).flatMap((one) => [one, ...children(one.id)])
  return children(pid)
    .filter((one) => one.line.includes(words))
    .map((one) => one.id)
}

/** A port of the loopback interface that nobody had a moment ago. */
export async function aFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
