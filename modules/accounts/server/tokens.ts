import { createHash } from 'node:crypto'
import type { Random } from '../../../platform/random/random.ts'

/** 256 bits for a cookie or a link. */
export const newToken = (random: Random): string => Buffer.from(random.bytes(32)).toString('base64url')

/** How tokens and keys are kept. They are random enough for a plain hash. */
export const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')
