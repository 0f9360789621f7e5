import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Actor } from '../../audit/contract.ts'
import type { Audit } from '../../audit/server/index.ts'
import type { Facts, KeyKind, Verdict } from '../../policy/contract.ts'
import { judge } from '../../policy/server/index.ts'
import type { ChangeKind } from './kind.ts'
import { differences, releaseOf } from './release.ts'
import { requestStore, type ReleaseRecord, type RequestRecord } from './store.ts'

/** What a request is about as it is now, and what became of its keys since somebody looked last. All of it within the caller's transaction. */
export function createAssessment(needs: { clock: Clock; audit: Audit; kindOf: (name: string) => ChangeKind }) {
  const { clock, audit, kindOf } = needs

  /** @throws Refusal('not_found') */
  async function need(tx: Postgres, id: string, lock = false): Promise<RequestRecord> {
    const request = await (lock ? requestStore(tx).lock(id) : requestStore(tx).get(id))
    if (request === undefined) throw new Refusal('not_found', 'There is no such request.')
    return request
  }
  /** Everything about a thing as it is now: its release, facts and verdict. */
  async function assess(
    tx: Postgres,
    kind: ChangeKind,
    objectId: string,
    requester: string,
  ): Promise<{ release: ReleaseRecord; facts: Facts; verdict: Verdict; title: string; sub: string }> {
    const closure = await kind.closure(tx, objectId, false)
    const store = requestStore(tx)
    const free = (await store.approvers()).find(
      (person) =>
        person.roles.includes('approver') &&
        person.id !== requester &&
        !closure.editors.some((editor) => editor === person.id),
    )
    const facts: Facts = {
      ...(await kind.facts(tx, objectId)),
      staff: await store.staff(),
      ...(free === undefined ? {} : { otherSide: free.side }),
    }
    return { release: releaseOf(closure), facts, verdict: judge(facts), ...(await kind.describe(tx, objectId)) }
  }
  const fresh = (verdict: Verdict): 'waiting' | 'ready' =>
    verdict.keys.length === 0 && verdict.coolingOffHours === 0 ? 'ready' : 'waiting'

  /** Brings an open request up to what its thing is now; voids keys when that is something else than they were given on. */
  async function refresh(tx: Postgres, request: RequestRecord, by: Actor, byName: string): Promise<RequestRecord> {
    if (request.state !== 'waiting' && request.state !== 'ready') return request
    const now = await assess(tx, kindOf(request.kind), request.object_id, request.requester)
    const store = requestStore(tx)
    if (now.release.hash === request.release_hash) {
      const stale = await store.voidStale(request.id, clock.now())
      for (const key of stale)
        await store.note(
          request.id,
          'Interlock',
          `the ${wordFor(key.kind)} key fell out: ${key.void_because ?? ''}`,
          clock.now(),
        )
      // Who works here and how many are reached changes while one waits. More may be asked for then, never less: what was asked for stands.
      if (!stricter(now.verdict, request)) {
        if (stale.length > 0 && request.state === 'ready') await store.setState(request.id, 'waiting', null, null)
        return stale.length > 0 ? need(tx, request.id) : request
      }
      await store.setVerdict(request.id, now.verdict, now.facts, 'waiting')
      await store.note(request.id, 'Interlock', `needs more now: ${now.verdict.because}`, clock.now())
      return need(tx, request.id)
    }
    const before = await store.release(request.id, request.release_hash)
    const what = before === undefined ? [] : differences(before, now.release)
    const because = what.length > 0 ? what.join('; ') : 'what they were on changed'
    await store.addRelease(request.id, now.release, clock.now())
    await store.setRelease(
      request.id,
      now.release.hash,
      now.verdict.keys,
      now.verdict.coolingOffHours,
      now.verdict,
      now.facts,
      now.title,
      now.sub,
      fresh(now.verdict),
      clock.now(),
    )
    const voided = await store.voidKeys(request.id, because, clock.now())
    await store.note(
      request.id,
      byName,
      voided.length > 0
        ? `${because}: ${String(voided.length)} ${voided.length === 1 ? 'key fell' : 'keys fell'} out`
        : because,
      clock.now(),
    )
    await audit.write(tx, {
      actor: by,
      deed: 'request.release_changed',
      object: { kind: 'request', id: request.id },
      summary: voided.length > 0 ? 'the release changed and its keys fell out' : 'the release changed',
      facts: { before: request.release_hash, after: now.release.hash, voided: voided.length },
    })
    return need(tx, request.id)
  }

  return { need, assess, fresh, refresh }
}

/** Whether a verdict asks for more than what the request waits for. */
function stricter(verdict: Verdict, request: RequestRecord): boolean {
  return (
    verdict.keys.length > request.needed.length ||
    (verdict.keys.length === request.needed.length && verdict.coolingOffHours > request.cooling_off_hours)
  )
}

/** A side, or data protection, as the name of a key. */
export function wordFor(kind: KeyKind): string {
  return { marketing: 'Marketing', it: 'IT', protection: 'data-protection' }[kind]
}
