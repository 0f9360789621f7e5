// `npm start`: everything from a fresh clone to an address that answers, with the demo company in ./data/demo.
import { join } from 'node:path'
import { onCarriedNode } from './run.js'
import { root, setUp } from './setup.js'

const began = Date.now()
setUp()
process.env.INTERLOCK_BEGAN_MS = String(began)
process.exitCode = await onCarriedNode([join(root, 'apps/server/cli.ts'), 'serve', '--demo', ...process.argv.slice(2)])
