import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { Actor } from '../../audit/contract.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { Accounts } from '../../accounts/server/index.ts'
import type { KeyKind, Verdict } from '../../policy/contract.ts'
import type { Foresight, RequestRow, RequestView } from '../contract.ts'
import { clear, type Clearance } from './clearance.ts'
import type { ChangeKind } from './kind.ts'
import { createAssessment, wordFor } from './assessment.ts'
import { foresightOf } from './foresight.ts'
import { whyNotKey, missingKeys } from './keys.ts'
import { differences, releaseOf } from './release.ts'
import { requestStore, type RequestRecord } from './store.ts'
import { mayTakeBack, rowOf, viewOf, waitsFor } from './view.ts'

export interface Requests {
  register(kind: ChangeKind): void
  /** What asking would need; nothing is asked for and nothing changes. */
  foresee(caller: Caller, kind: string, objectId: string): Promise<Foresight>
  open(caller: Caller, kind: string, objectId: string, note: string): Promise<RequestView>
  get(caller: Caller, id: Id<'request'>): Promise<RequestView>
  /** @param covers only those whose present release covers this thing */
  list(caller: Caller, covers?: string): Promise<RequestRow[]>
  /** What the open request for a thing waits for, as the end of “It waits for …”; undefined when none is open. */
  waitsFor(kind: string, objectId: string): Promise<string | undefined>
  giveKey(
    caller: Caller,
    id: Id<'request'>,
    releaseHash: string,
    kind: KeyKind,
    condition: string | undefined,
  ): Promise<RequestView>
  withdrawKey(caller: Caller, id: Id<'request'>, because: string): Promise<RequestView>
  /** @throws Refusal('needs_agreement') while keys are missing or anything changed since they were given */
  launch(caller: Caller, id: Id<'request'>, releaseHash: string): Promise<RequestView>
  withdraw(caller: Caller, id: Id<'request'>): Promise<RequestView>
  preflight(caller: Caller, id: Id<'request'>): Promise<RequestView>
  comment(caller: Caller, id: Id<'request'>, text: string): Promise<RequestView>
  /**
   * Asked by whatever acts, within its own transaction, before each batch: recomputes the closure now and passes only if it is what the keys are on
   * and they stand. @throws Refusal('needs_agreement') with what differs; the request is then halted by `halt`
   */
  recheck(tx: Postgres, releaseHash: string): Promise<Clearance>
  /** Stops a live release visibly; for what found out in `recheck` that it may not go on. */
  halt(releaseHash: string, because: string): Promise<void>
  /** Someone edited a thing, within the transaction of the edit: open requests that cover it lose their keys, live ones stop. */
  changed(tx: Postgres, kind: string, id: string, by: Actor): Promise<void>
  /** What ran to its end. */
  finished(tx: Postgres, kind: string, objectId: string): Promise<void>
}

export interface RequestNeeds {
  postgres: Postgres
  clock: Clock
  ids: Ids
  audit: Audit
  accounts: Pick<Accounts, 'stepUp' | 'stepUpMethod' | 'person'>
}

const monthMs = 30 * 86_400_000
/** Keys expire: amber after twelve months, red after six (governance practice for standing approvals). */
const lifeMs: Record<Verdict['lane'], number> = {
  green: 24 * monthMs,
  amber: 12 * monthMs,
  red: 6 * monthMs,
  emergency: 86_400_000,
}

/** The switch: what waits for which keys, and what may act now. */
export function createRequests(needs: RequestNeeds): Requests {
  const { postgres, clock, ids, audit, accounts } = needs
  const kinds = new Map<string, ChangeKind>()

  function kindOf(name: string): ChangeKind {
    const kind = kinds.get(name)
    if (kind === undefined) throw new Refusal('bad_input', `Nothing of the kind “${name}” can go live.`)
    return kind
  }
  const { need, assess, fresh, refresh } = createAssessment({ clock, audit, kindOf })

  async function show(caller: Caller, id: string): Promise<RequestView> {
    return postgres.transaction(async (tx) => {
      const request = await refresh(tx, await need(tx, id, true), { kind: 'system', id: 'requests' }, 'Interlock')
      return viewOf(tx, kindOf(request.kind), request, caller, clock.ms())
    })
  }

  /** What has changed since it was looked at is looked at again, once for however many ask. */
  const looking = new Map<string, Promise<void>>()
  async function lookAgain(id: string): Promise<boolean> {
    const request = await need(postgres, id)
    if (request.preflight_release === request.release_hash) return false
    if (request.state !== 'waiting' && request.state !== 'ready') return false
    let look = looking.get(id)
    if (look === undefined) {
      look = runPreflight(id).finally(() => looking.delete(id))
      looking.set(id, look)
    }
    await look
    return true
  }
  async function runPreflight(id: string): Promise<void> {
    const request = await need(postgres, id)
    const checks = await kindOf(request.kind).preflight(postgres, request.object_id)
    await requestStore(postgres).setPreflight(id, request.release_hash, checks, clock.now())
  }

  /** Halts within a transaction: nothing may act on this release any more. */
  async function stop(tx: Postgres, request: RequestRecord, because: string, by: Actor, byName: string): Promise<void> {
    const store = requestStore(tx)
    await store.setState(request.id, 'halted', because, clock.now())
    await store.note(request.id, byName, `stopped: ${because}`, clock.now())
    await kindOf(request.kind).halted(tx, request.object_id, because)
    await audit.write(tx, {
      actor: by,
      deed: 'request.halted',
      object: { kind: 'request', id: request.id },
      summary: 'stopped what was live',
      facts: { release: request.release_hash },
    })
  }

  return {
    register(kind) {
      if (kinds.has(kind.kind)) throw new Error(`two kinds of change are named ${kind.kind}`)
      kinds.set(kind.kind, kind)
    },

    async foresee(caller, kindName, objectId) {
      const kind = kindOf(kindName)
      let seen: Foresight | undefined
      // To assess a thing may note what its keys would cover; who only looks leaves nothing behind.
      await postgres
        .transaction(async (tx) => {
          const now = await assess(tx, kind, objectId, caller.accountId)
          seen = foresightOf(now, {
            requester: caller.accountId,
            approvers: await requestStore(tx).approvers(),
            checks: await kind.preflight(tx, objectId),
          })
          throw new OnlyLooked()
        })
        .catch((error: unknown) => {
          if (!(error instanceof OnlyLooked)) throw error
        })
      if (seen === undefined) throw new Error('looked and saw nothing')
      return seen
    },

    async open(caller, kindName, objectId, note) {
      const kind = kindOf(kindName)
      const id = ids.next('request')
      await postgres.transaction(async (tx) => {
        const store = requestStore(tx)
        const already = await store.openFor(kindName, objectId)
        if (already !== undefined) throw new Refusal('conflict', 'This was asked for already.', { request: already.id })
        const now = await assess(tx, kind, objectId, caller.accountId)
        const at = clock.now()
        await store.insert({
          id,
          kind: kindName,
          object_id: objectId,
          title: now.title,
          sub: now.sub,
          state: fresh(now.verdict),
          requester: caller.accountId,
          release_hash: now.release.hash,
          needed: now.verdict.keys,
          cooling_off_hours: now.verdict.coolingOffHours,
          verdict: now.verdict,
          facts: now.facts,
          preflight: [],
          preflight_at: null,
          preflight_release: null,
          because: null,
          opened_at: at,
          released_at: at,
          launched_at: null,
          closed_at: null,
        })
        await store.addRelease(id, now.release, at)
        if (note.trim() !== '')
          await store.addComment(ids.next('comment'), id, caller.accountId, caller.side, note.trim(), at)
        await store.note(id, caller.name, 'asked for this to go live', at)
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'request.opened',
          object: { kind: 'request', id },
          summary: 'asked for something to go live',
          facts: { kind: kindName, object: objectId, lane: now.verdict.lane, release: now.release.hash },
        })
      })
      await runPreflight(id)
      return show(caller, id)
    },

    async get(caller, id) {
      const shown = await show(caller, id)
      return (await lookAgain(id)) ? show(caller, id) : shown
    },
    async list(caller, covers) {
      const store = requestStore(postgres)
      const rows = await store.newest(200, covers)
      const names = await store.names(rows.map((row) => row.requester))
      return Promise.all(
        rows.map(async (row) =>
          rowOf(
            row,
            await store.keys(row.id),
            await store.release(row.id, row.release_hash),
            names,
            caller,
            clock.ms(),
          ),
        ),
      )
    },
    async waitsFor(kind, objectId) {
      const store = requestStore(postgres)
      const row = await store.openFor(kind, objectId)
      if (row === undefined || row.state === 'live') return undefined
      return waitsFor(row, await store.keys(row.id), clock.ms())
    },

    async giveKey(caller, id, releaseHash, kind, condition) {
      const method = await accounts.stepUpMethod(caller)
      const outcome = await postgres.transaction(
        async (tx) => {
          const store = requestStore(tx)
          const request = await refresh(tx, await need(tx, id, true), actorOf(caller), caller.name)
          // The void keys of `refresh` must stay even though this key is refused, so the refusal is thrown after the commit.
          if (request.release_hash !== releaseHash)
            return new Refusal('conflict', 'What you looked at has changed since. Look again before you sign.', {
              release: request.release_hash,
            })
          const release = await store.release(id, releaseHash)
          const why = whyNotKey({ request, editors: release?.editors ?? [], keys: await store.keys(id), kind, caller })
          if (why !== null) return new Refusal('key_refused', why)
          accounts.stepUp(caller)
          const now = await accounts.person(tx, caller.accountId)
          if (now?.enabled !== true) return new Refusal('key_refused', 'Your account is disabled.')
          await store.addKey({
            id: ids.next('key'),
            request_id: id,
            release_hash: releaseHash,
            kind,
            person_id: caller.accountId,
            method,
            condition: condition ?? null,
            given_at: clock.now(),
            expires_at: new Date(clock.ms() + lifeMs[request.verdict.lane]),
          })
          const missing = missingKeys(request, await store.keys(id), clock.ms())
          if (missing.length === 0) await store.setState(id, 'ready', null, null)
          await store.note(
            id,
            caller.name,
            `gave the ${wordFor(kind)} key${condition === undefined ? '' : `, with the condition: ${condition}`}`,
            clock.now(),
          )
          await audit.write(tx, {
            actor: actorOf(caller),
            deed: 'request.key_given',
            object: { kind: 'request', id },
            summary: `gave the ${wordFor(kind)} key`,
            facts: { release: releaseHash, key: kind, condition: condition !== undefined },
          })
          return undefined
        },
        { isolation: 'serializable' },
      )
      if (outcome !== undefined) throw outcome
      return show(caller, id)
    },

    async withdrawKey(caller, id, because) {
      await postgres.transaction(async (tx) => {
        const store = requestStore(tx)
        const request = await need(tx, id, true)
        const taken = await store.withdrawKey(id, caller.accountId, clock.now())
        if (taken.length === 0) throw new Refusal('not_now', 'You have no key in this request.')
        await store.note(id, caller.name, `took the key back: ${because}`, clock.now())
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'request.key_withdrawn',
          object: { kind: 'request', id },
          summary: 'took a key back',
          facts: { release: request.release_hash },
        })
        if (request.state === 'live')
          await stop(tx, request, `${caller.name} took the key back: ${because}`, actorOf(caller), caller.name)
        else if (request.state === 'ready') await store.setState(id, 'waiting', null, null)
      })
      return show(caller, id)
    },

    async launch(caller, id, releaseHash) {
      await lookAgain(id)
      const outcome = await postgres
        .transaction(
          async (tx) => {
            const store = requestStore(tx)
            const request = await refresh(tx, await need(tx, id, true), actorOf(caller), caller.name)
            if (request.state === 'live' || request.state === 'done')
              return new Refusal('not_now', 'This is live already.')
            if (request.state !== 'waiting' && request.state !== 'ready')
              return new Refusal('not_now', `This request is ${request.state}.`)
            if (request.release_hash !== releaseHash)
              return new Refusal('needs_agreement', 'What you looked at has changed since, so its keys fell out.', {
                release: request.release_hash,
              })
            const missing = missingKeys(request, await store.keys(id), clock.ms())
            if (missing.length > 0)
              return new Refusal(
                'needs_agreement',
                `It waits for ${missing.map((kind) => `the ${wordFor(kind)} key`).join(' and ')}. ${request.verdict.because}`,
                { missing },
              )
            const cooledAt = request.released_at.getTime() + request.cooling_off_hours * 3_600_000
            if (cooledAt > clock.ms())
              return new Refusal(
                'needs_agreement',
                `It cools off until ${new Date(cooledAt).toISOString()}, because fewer than four people work here.`,
                { until: new Date(cooledAt).toISOString() },
              )
            if (request.preflight_release !== releaseHash)
              return new Refusal('not_now', 'It changed while it was looked at. Look again, then launch.')
            const failing = request.preflight.filter((check) => check.result === 'fail')
            if (failing.length > 0)
              return new Refusal('not_now', `The preflight fails: ${failing.map((check) => check.says).join(' ')}`)
            const executionId = ids.next('execution')
            await store.addExecution(executionId, id, releaseHash, caller.accountId, clock.now())
            await store.setLaunched(id, clock.now())
            // The same question that every later batch asks: if the view does not let it act, nothing goes live.
            if (request.needed.length > 0 && (await store.liveRelease(releaseHash, clock.now())) === undefined)
              throw new Rollback(new Refusal('needs_agreement', 'A key is held by someone who can no longer give it.'))
            await kindOf(request.kind).execute(
              tx,
              request.object_id,
              clear({ requestId: id, executionId, releaseHash, kind: request.kind, objectId: request.object_id }),
            )
            await store.note(id, caller.name, 'let it go live', clock.now())
            await audit.write(tx, {
              actor: actorOf(caller),
              deed: 'request.launched',
              object: { kind: 'request', id },
              summary: 'let a release go live',
              facts: { release: releaseHash, kind: request.kind, object: request.object_id },
            })
            return undefined
          },
          { isolation: 'serializable' },
        )
        .catch((error: unknown) => {
          if (error instanceof Rollback) return error.refusal
          throw error
        })
      if (outcome !== undefined) throw outcome
      return show(caller, id)
    },

    async withdraw(caller, id) {
      await postgres.transaction(async (tx) => {
        const store = requestStore(tx)
        const request = await need(tx, id, true)
        if (!(await mayTakeBack(store, request, caller)))
          throw new Refusal(
            'not_allowed',
            'Only the side that asked takes a request back. To stop it, give no key, or take yours back.',
          )
        if (request.state === 'live')
          await stop(tx, request, `${caller.name} took the request back`, actorOf(caller), caller.name)
        else if (request.state === 'waiting' || request.state === 'ready')
          await store.setState(id, 'withdrawn', null, clock.now())
        else throw new Refusal('not_now', `This request is ${request.state}.`)
        await store.note(id, caller.name, 'took the request back', clock.now())
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'request.withdrawn',
          object: { kind: 'request', id },
          summary: 'took a request back',
        })
      })
      return show(caller, id)
    },

    async preflight(caller, id) {
      await runPreflight(id)
      return show(caller, id)
    },
    async comment(caller, id, text) {
      await postgres.transaction(async (tx) => {
        await need(tx, id)
        await requestStore(tx).addComment(ids.next('comment'), id, caller.accountId, caller.side, text, clock.now())
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'request.commented',
          object: { kind: 'request', id },
          summary: 'said something in the conversation',
        })
      })
      return show(caller, id)
    },

    async recheck(tx, releaseHash) {
      const store = requestStore(tx)
      const live = await store.liveRelease(releaseHash, clock.now())
      if (live === undefined)
        throw new Refusal(
          'needs_agreement',
          'This release is not live, or a key of it was withdrawn, fell out or expired.',
        )
      const now = releaseOf(await kindOf(live.kind).closure(tx, live.object_id, true))
      if (now.hash !== releaseHash) {
        const before = await store.release(live.request_id, releaseHash)
        throw new Refusal(
          'needs_agreement',
          `It is no longer what the keys are on: ${before === undefined ? 'it changed' : differences(before, now).join('; ')}.`,
        )
      }
      const execution = await store.execution(live.request_id, releaseHash)
      if (execution === undefined) throw new Refusal('needs_agreement', 'This release was never launched.')
      return clear({
        requestId: live.request_id,
        executionId: execution.id,
        releaseHash,
        kind: live.kind,
        objectId: live.object_id,
      })
    },
    async halt(releaseHash, because) {
      await postgres.transaction(async (tx) => {
        const rows = await tx.query<{ id: string }>(
          `SELECT id FROM requests.request WHERE release_hash = $1 AND state = 'live'`,
          [releaseHash],
        )
        for (const { id } of rows)
          await stop(tx, await need(tx, id, true), because, { kind: 'system', id: 'requests' }, 'Interlock')
      })
    },
    async changed(tx, kind, id, by) {
      const store = requestStore(tx)
      for (const request of await store.covering(kind, id)) {
        const name = (await store.names([by.id]))[by.id] ?? 'Interlock'
        if (request.state !== 'live') {
          await refresh(tx, request, by, name)
          continue
        }
        const now = releaseOf(await kindOf(request.kind).closure(tx, request.object_id, true))
        if (now.hash === request.release_hash) continue
        const before = await store.release(request.id, request.release_hash)
        await stop(tx, request, before === undefined ? 'it changed' : differences(before, now).join('; '), by, name)
      }
    },
    async finished(tx, kind, objectId) {
      const store = requestStore(tx)
      const request = await store.openFor(kind, objectId)
      if (request?.state !== 'live') return
      await store.setState(request.id, 'done', null, clock.now())
      await store.note(request.id, 'Interlock', 'ran to its end', clock.now())
    },
  }
}

/** Ends a transaction that must leave nothing behind. */
class OnlyLooked extends Error {}

/** Carries a refusal out of a transaction that must not commit. */
class Rollback extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.message)
    this.refusal = refusal
  }
}
