// Hands over to Node 26: same standard streams, same signals, same exit code.
import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { node, root } from './setup.js'

/** Runs `node args…` on the carried Node and resolves with its exit code. @param {string[]} args @returns {Promise<number>} */
export function onCarriedNode(args, options = {}) {
  const path = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`
  // glibc keeps freed memory for each thread apart; two pools instead of sixteen save a tenth of the server's memory and cost no speed (bench collect).
  const env = { MALLOC_ARENA_MAX: '2', ...process.env, PATH: path }
  const child = spawn(node, args, { stdio: 'inherit', env, ...options })
  const forward = (signal) => child.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}
