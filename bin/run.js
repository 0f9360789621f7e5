// Hands over to Node 26: same standard streams, same signals, same exit code.
import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { node, root } from './setup.js'

/** Runs `node args…` on the carried Node and resolves with its exit code. @param {string[]} args @returns {Promise<number>} */
export function onCarriedNode(args, options = {}) {
  const path = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`
  const child = spawn(node, args, { stdio: 'inherit', env: { ...process.env, PATH: path }, ...options })
  const forward = (signal) => child.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}
