#!/usr/bin/env node
// `npx interlock COMMAND`: installs when needed, then runs apps/server/cli.ts on the carried Node.
import { join } from 'node:path'
import { onCarriedNode } from './run.js'
import { root, setUp } from './setup.js'

setUp()
process.exitCode = await onCarriedNode([join(root, 'apps/server/cli.ts'), ...process.argv.slice(2)])
