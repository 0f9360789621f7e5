import { folder } from './folder/folder.ts'
import type { DestinationKind } from './kind.ts'
import { mysql } from './mysql/mysql.ts'
import { postgresql } from './postgresql/postgresql.ts'
import { s3 } from './s3/s3.ts'
import { webhook } from './webhook/webhook.ts'

/** Every kind of destination: one folder and one line. */
export const kinds: readonly DestinationKind[] = [webhook, folder, s3, postgresql, mysql]

export const kindNamed = (name: string): DestinationKind | undefined => kinds.find((one) => one.kind === name)
