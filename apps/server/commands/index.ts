import type { Command } from './command.ts'
import { audit } from './audit.ts'
import { backup, restore } from './backup.ts'
import { bench } from './bench.ts'
import { conformance } from './conformance.ts'
import { codegen, configuration } from './config.ts'
import { doctor } from './doctor.ts'
import { faults } from './faults.ts'
import { importFile } from './import.ts'
import { ingest } from './ingest.ts'
import { journal } from './journal.ts'
import { migrate } from './migrate.ts'
import { property } from './property.ts'
import { resolve } from './resolve.ts'
import { serveCommand } from './serve.ts'
import { story } from './story.ts'

/** Every word of `npx interlock`, in the order of `help`. */
export const commands: readonly Command[] = [
  serveCommand,
  doctor,
  importFile,
  resolve,
  configuration,
  codegen,
  ingest,
  audit,
  backup,
  restore,
  migrate,
  journal,
  bench,
  story,
  faults,
  conformance,
  property,
]
