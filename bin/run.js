// Hands over to Node 26: same standard streams, same signals, same exit code.
import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { node, root } from './setup.js'

/** Runs `node args…` on the carried Node and resolves with its exit code. @param {string[]} args @returns {Promise<number>} */
export function onCarriedNode(args, options = {}) {
  const path = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`
  // glibc keeps freed memory apart for each thread and for long; two pools that give back at 1 MB save a tenth of the server's memory and costs no speed (bench collect).
  const env = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '1000000', ...process.env, PATH: path }
  const child = spawn(node, args, { stdio: 'inherit', env, ...options })
  const forward = (signal) => child.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}
