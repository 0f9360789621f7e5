import canonicalize from 'canonicalize'
import { createHash } from 'node:crypto'
import type { Closure } from './kind.ts'
import type { ReleaseRecord } from './store.ts'

/** Canonical JSON (RFC 8785) of a closure's content and what it covers, and its SHA-256: what keys are bound to. */
export function releaseOf(closure: Closure): ReleaseRecord {
  const canonical = canonicalize({ content: closure.content, covers: closure.covers })
  if (canonical === undefined) throw new Error('a closure that is no JSON')
  return {
    hash: createHash('sha256').update(canonical).digest('hex'),
    canonical,
    covers: closure.covers,
    editors: closure.editors,
  }
}

/** What differs between two releases, in words: which covered things are new, gone or changed, and which parts of the content. */
export function differences(before: ReleaseRecord, after: ReleaseRecord): string[] {
  const words: string[] = []
  const key = (covered: { kind: string; id: string }) => `${covered.kind} ${covered.id}`
  const old = new Map(before.covers.map((covered) => [key(covered), covered]))
  for (const covered of after.covers) {
    const was = old.get(key(covered))
    if (was === undefined) words.push(`${covered.kind} “${covered.name}” is new`)
    else if (was.version !== covered.version) words.push(`${covered.kind} “${covered.name}” changed`)
    old.delete(key(covered))
  }
  for (const gone of old.values()) words.push(`${gone.kind} “${gone.name}” is no longer part of it`)
  if (words.length > 0) return words
  const parts = (release: ReleaseRecord) =>
    (JSON.parse(release.canonical) as { content: Record<string, unknown> }).content
  const [a, b] = [parts(before), parts(after)]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]))
    .map((name) => `the ${name} changed`)
}
