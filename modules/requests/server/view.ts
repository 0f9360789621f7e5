import type { Id } from '../../../lib/ids/ids.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { KeyKind } from '../../policy/contract.ts'
import type { KeySlot, RequestRow, RequestView } from '../contract.ts'
import type { ChangeKind } from './kind.ts'
import { couldGive, missingKeys, standingKeys, whyNotKey } from './keys.ts'
import { requestStore, type KeyRecord, type ReleaseRecord, type RequestRecord } from './store.ts'

/** Composes what people read, from the verdict and the keys; no sentence is written by hand beside it. */

const sideWord: Record<KeyKind, string> = { marketing: 'Marketing', it: 'IT', protection: 'data protection' }

/** Who asked takes it back, or a colleague of the same side; the other side withholds its key instead. */
export async function mayTakeBack(
  store: ReturnType<typeof requestStore>,
  request: RequestRecord,
  caller: Caller,
): Promise<boolean> {
  return request.requester === caller.accountId || (await store.sideOf(request.requester)) === caller.side
}

/** A request in a list, as this person sees it. */
export function rowOf(
  request: RequestRecord,
  keys: readonly KeyRecord[],
  release: ReleaseRecord | undefined,
  names: Record<string, string>,
  caller: Caller,
  nowMs: number,
): RequestRow {
  const waitingFor = isOpen(request) ? missingKeys(request, keys, nowMs) : []
  const can = waitingFor.some(
    (kind) => whyNotKey({ request, editors: release?.editors ?? [], keys, kind, caller }) === null,
  )
  return {
    id: request.id as Id<'request'>,
    kind: request.kind,
    objectId: request.object_id,
    title: request.title,
    lane: request.verdict.lane,
    needs: needsOf(request.needed, request.cooling_off_hours),
    state: request.state,
    stands: standsOf(request, keys, nowMs),
    sentence: sentence(request, keys, nowMs),
    requester: who(request.requester, names),
    openedAt: request.opened_at.toISOString(),
    waitingFor,
    yourTurn: can || (standsOf(request, keys, nowMs) === 'ready' && request.requester === caller.accountId),
  }
}

/** A whole request, as this person sees it. */
export async function viewOf(
  tx: Postgres,
  kind: ChangeKind,
  request: RequestRecord,
  caller: Caller,
  nowMs: number,
): Promise<RequestView> {
  const store = requestStore(tx)
  const keys = await store.keys(request.id)
  const release = await store.release(request.id, request.release_hash)
  const comments = await store.comments(request.id)
  const names = await store.names([
    request.requester,
    ...keys.map((key) => key.person_id),
    ...comments.map((comment) => comment.person_id),
  ])
  const approvers = await store.approvers()
  const editors = release?.editors ?? []
  const slots = request.needed.map((slot) => slotOf(slot, { request, keys, editors, caller, names, approvers, nowMs }))
  return {
    id: request.id as Id<'request'>,
    kind: request.kind,
    objectId: request.object_id,
    href: kind.href(request.object_id),
    reportHref: request.launched_at === null ? null : (kind.report?.(request.object_id) ?? null),
    title: request.title,
    sub: request.sub,
    state: request.state,
    requester: who(request.requester, names),
    openedAt: request.opened_at.toISOString(),
    sentence: sentence(request, keys, nowMs),
    lane: request.verdict.lane,
    needs: needsOf(request.needed, request.cooling_off_hours),
    stands: standsOf(request, keys, nowMs),
    coolsOff: coolsOff(request, nowMs),
    verdict: request.verdict,
    facts: request.facts,
    does: await kind.does(tx, request.object_id, request.facts),
    preflight: request.preflight,
    preflightAt: request.preflight_at?.toISOString() ?? null,
    keys: slots,
    releaseHash: request.release_hash,
    covers: release?.covers ?? [],
    launch: launchOf(request, keys, caller, nowMs),
    canWithdraw:
      (isOpen(request) || request.state === 'live') &&
      caller.permissions.has('campaigns.write') &&
      (await mayTakeBack(store, request, caller)),
    comments: comments.map((comment) => ({
      id: comment.id,
      by: who(comment.person_id, names),
      side: comment.side,
      at: comment.at.toISOString(),
      text: comment.text,
    })),
    history: (await store.history(request.id)).map((entry) => ({
      at: entry.at.toISOString(),
      by: entry.by,
      says: entry.says,
    })),
  }
}

const isOpen = (request: RequestRecord) => request.state === 'waiting' || request.state === 'ready'
const who = (id: string, names: Record<string, string>) => ({
  id: id as Id<'account'>,
  name: names[id] ?? 'someone who left',
})

/** What an open request waits for, as the end of “It waits for …”. */
export function waitsFor(request: RequestRecord, keys: readonly KeyRecord[], nowMs: number): string {
  const missing = missingKeys(request, keys, nowMs)
  const cooling = coolingMs(request, nowMs)
  const waits = [
    ...(missing.length > 0 ? [keysFrom(missing)] : []),
    ...(cooling > 0 ? [`its cooling-off to end, ${duration(cooling)} from now`] : []),
    ...failing(request).map((check) => `the check “${check.name}” to pass`),
  ]
  return waits.length > 0 ? joinWords(waits) : 'somebody to launch it: all it needs is there'
}

/** All that a verdict asks for, as the end of “It needs …”. */
export function needsOf(needed: readonly KeyKind[], coolingOffHours: number): string {
  const all = [...(needed.length > 0 ? [keysFrom(needed)] : []), ...(coolingOffHours > 0 ? ['a day to cool off'] : [])]
  return all.length === 0 ? 'no key' : joinWords(all)
}

/** What a day of cooling off is, and what ends it. It stands beside wherever one is announced. */
export const whatEndsIt =
  'The day stands for the second key, because fewer than four people work here. It begins when this is asked for and anew with each change, and it ends by itself; nothing shortens it. What is asked for once four work here needs a key of each side and no day.'

const failing = (request: RequestRecord) =>
  request.preflight_release === request.release_hash ? request.preflight.filter((check) => check.result === 'fail') : []

/** How it stands in a word or two. “ready” is what could go this minute. */
function standsOf(request: RequestRecord, keys: readonly KeyRecord[], nowMs: number): string {
  if (!isOpen(request) || missingKeys(request, keys, nowMs).length > 0) return request.state
  if (failing(request).length > 0) return 'a check fails'
  return coolingMs(request, nowMs) > 0 ? 'cooling off' : 'ready'
}

function coolsOff(request: RequestRecord, nowMs: number): RequestView['coolsOff'] {
  const left = coolingMs(request, nowMs)
  return isOpen(request) && left > 0
    ? { until: new Date(nowMs + left).toISOString(), says: `${duration(left)}. ${whatEndsIt}` }
    : null
}

export const keysFrom = (kinds: readonly KeyKind[]) => joinWords(kinds.map((kind) => `one key from ${sideWord[kind]}`))
const coolingMs = (request: RequestRecord, nowMs: number) =>
  request.released_at.getTime() + request.cooling_off_hours * 3_600_000 - nowMs

function sentence(request: RequestRecord, keys: readonly KeyRecord[], nowMs: number): string {
  if (request.state === 'live') return 'It is live.'
  if (request.state === 'done') return 'It ran to its end.'
  if (request.state === 'withdrawn') return 'The request was taken back.'
  if (request.state === 'halted') return `It was stopped: ${request.because ?? 'the agreement no longer stands'}.`
  const checks = failing(request)
  if (checks.length > 0)
    return `The preflight fails at ${joinWords(checks.map((check) => check.name))}, so no key is enough: ${checks.map((check) => check.says).join(' ')} ${keysAndTime(request, keys, nowMs)}`
  return keysAndTime(request, keys, nowMs)
}

/** The sentence about what only people and time bring. */
function keysAndTime(request: RequestRecord, keys: readonly KeyRecord[], nowMs: number): string {
  const missing = missingKeys(request, keys, nowMs)
  const cooling = coolingMs(request, nowMs)
  if (missing.length === 0 && cooling > 0)
    return `It cools off for ${duration(cooling)} more, because fewer than four people work here.`
  if (missing.length === 0) {
    if (failing(request).length > 0) return request.needed.length === 0 ? 'It needs no key.' : 'All keys are given.'
    return request.needed.length === 0
      ? `It may go at once. ${request.verdict.because}`
      : 'All keys are given on exactly this; it may go at once.'
  }
  const reason = request.verdict.because.replace(/^It needs [^:]*: /, '').replace(/^Green: /, '')
  const waited = nowMs - waitingSince(request, keys, missing)
  const overdue = waited > request.verdict.promiseWorkingDays * 86_400_000
  const also =
    cooling > 0
      ? ` Then it cools off until a day after it was asked for or changed, ${duration(cooling)} from now, because fewer than four people work here.`
      : ''
  return `This waits for ${keysFrom(missing)}${cooling > 0 ? ' and a day to cool off' : ''}, because ${reason} It has waited ${duration(waited)} for ${joinWords(missing.map((kind) => sideWord[kind]))}; the promise is ${String(request.verdict.promiseWorkingDays)} working days${overdue ? ', which has passed' : ''}.${also}`
}

/** Since when the missing keys are the only thing it waits for: the release, or the last key that was given. */
function waitingSince(request: RequestRecord, keys: readonly KeyRecord[], missing: readonly KeyKind[]): number {
  const given = keys
    .filter((key) => key.release_hash === request.release_hash && !missing.includes(key.kind))
    .map((key) => key.given_at.getTime())
  return Math.max(request.released_at.getTime(), ...given)
}

function launchOf(
  request: RequestRecord,
  keys: readonly KeyRecord[],
  caller: Caller,
  nowMs: number,
): { possible: boolean; because: string } {
  if (!isOpen(request))
    return { possible: false, because: request.state === 'live' ? 'It is live.' : `This request is ${request.state}.` }
  const missing = missingKeys(request, keys, nowMs)
  const cooling = coolingMs(request, nowMs)
  const checks = failing(request)
  const held = [
    ...(checks.length > 0 ? [`The preflight fails: ${checks.map((check) => check.says).join(' ')}`] : []),
    ...(missing.length > 0 ? [`It waits for ${joinWords(missing.map((kind) => `the ${sideWord[kind]} key`))}.`] : []),
    ...(cooling > 0 ? [`It cools off for ${duration(cooling)} more.`] : []),
  ]
  if (held.length > 0) return { possible: false, because: held.join(' ') }
  if (!caller.permissions.has('campaigns.write'))
    return { possible: false, because: 'Your roles do not let you launch; whoever asked for it can.' }
  return { possible: true, because: 'Everything that its risk demands is there.' }
}

function slotOf(
  kind: KeyKind,
  of: {
    request: RequestRecord
    keys: readonly KeyRecord[]
    editors: readonly string[]
    caller: Caller
    names: Record<string, string>
    approvers: Parameters<typeof couldGive>[0]['approvers']
    nowMs: number
  },
): KeySlot {
  const { request, keys, nowMs, names } = of
  const given = standingKeys(request, keys, nowMs).find((key) => key.kind === kind)
  const why = whyNotKey({ request, editors: of.editors, keys, kind, caller: of.caller })
  const couldBe = couldGive({ ...of, kind })
  const until =
    given?.given_at.getTime() ??
    (isOpen(request) ? nowMs : ((request.launched_at ?? request.closed_at)?.getTime() ?? nowMs))
  return {
    kind,
    state: given === undefined ? 'waiting' : 'given',
    by: given === undefined ? null : who(given.person_id, names),
    at: given?.given_at.toISOString() ?? null,
    method: given?.method ?? null,
    condition: given?.condition ?? null,
    expiresAt: given?.expires_at.toISOString() ?? null,
    couldBe,
    waitedSeconds: Math.max(0, Math.round((until - request.released_at.getTime()) / 1000)),
    yours: why === null,
    whyNotYours: why,
    fallenOut: keys
      .filter((key) => key.kind === kind && (key.voided_at !== null || key.withdrawn_at !== null))
      .map((key) => ({
        by: names[key.person_id] ?? 'someone who left',
        at: (key.voided_at ?? key.withdrawn_at ?? key.given_at).toISOString(),
        because: key.void_because ?? 'taken back',
      })),
  }
}

export function joinWords(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`
}

/** How long, in words: “3 h 20 min”. */
export function duration(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000))
  if (minutes < 1) return 'less than a minute'
  if (minutes < 60) return `${String(minutes)} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${String(hours)} h` : `${String(hours)} h ${String(minutes % 60)} min`
  return `${String(Math.floor(hours / 24))} days`
}
