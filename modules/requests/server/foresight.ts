import type { Verdict } from '../../policy/contract.ts'
import type { Check, Foresight } from '../contract.ts'
import { couldGive } from './keys.ts'
import type { ReleaseRecord } from './store.ts'
import { joinWords, keysFrom, needsOf, whatEndsIt } from './view.ts'

/** What asking for a thing would need, said before anybody asks: how many keys, whose, and whether a day passes. */
export function foresightOf(
  { verdict, release }: { verdict: Verdict; release: ReleaseRecord },
  of: { requester: string; approvers: Parameters<typeof couldGive>[0]['approvers']; checks: readonly Check[] },
): Foresight {
  const request = {
    state: 'waiting' as const,
    needed: verdict.keys,
    requester: of.requester,
    release_hash: release.hash,
  }
  const keys = verdict.keys.map((kind) => ({
    kind,
    couldBe: couldGive({ request, editors: release.editors, keys: [], kind, approvers: of.approvers }),
  }))
  const givers = keys.map(({ kind, couldBe }) =>
    couldBe.length === 0
      ? `Nobody here could give ${keysFrom([kind])}: an administrator invites somebody of that side with the role ${kind === 'protection' ? 'protection' : 'approver'}.`
      : `${couldBe.join(' or ')} could give ${keysFrom([kind])}.`,
  )
  const failing = of.checks.filter((check) => check.result === 'fail')
  return {
    lane: verdict.lane,
    needs: needsOf(verdict.keys, verdict.coolingOffHours),
    sentence: [
      `It would need ${needsOf(verdict.keys, verdict.coolingOffHours)}.`,
      ...givers,
      ...(verdict.coolingOffHours > 0 ? [whatEndsIt] : []),
      ...(failing.length > 0
        ? [`As things are, no key would be enough: ${joinWords(failing.map((check) => check.name))} would fail.`]
        : []),
    ].join(' '),
    keys,
    failing,
  }
}
