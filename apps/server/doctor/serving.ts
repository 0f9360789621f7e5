import type { Sender } from '../../../modules/channels/contract.ts'
import { ask, type RunningServer } from '../control.ts'
import { finding, type Finding } from './finding.ts'
import { auditFinding } from './stores.ts'

const patienceMs = 15_000

/** A server has the data directory: asks how it is. */
export async function serving(server: RunningServer): Promise<Finding[]> {
  let answer: Response
  try {
    answer = await fetch(`${server.url}/health/ready`, { signal: AbortSignal.timeout(patienceMs) })
  } catch (error) {
    return [
      {
        name: 'Server',
        ok: false,
        says: `process ${String(server.pid)} does not answer at ${server.url}: ${error instanceof Error ? error.message : String(error)}`,
        mend: 'Stop it and start it again; what was acknowledged is on disk.',
      },
    ]
  }
  const findings = healthFindings((await answer.json()) as Record<string, unknown>)
  findings.unshift({
    name: 'Server',
    ok: answer.ok,
    says: `process ${String(server.pid)} answers at ${server.url}${answer.ok ? '' : ' and says that it is not ready'}`,
  })
  findings.push(auditFinding((await ask(server, 'GET', '/api/audit/verify')) as Parameters<typeof auditFinding>[0]))
  for (const sender of (await ask(server, 'GET', '/api/senders')) as Sender[])
    findings.push(
      await finding(
        'Sender',
        () =>
          [
            `${sender.address} needs these records in the DNS of its domain (they are shown, not looked up):`,
            ...sender.dns.map((record) => `${record.name} ${record.type} "${record.value}"`),
          ].join('\n'),
        '',
      ),
    )
  return findings
}

/** The entries of /health/ready, each as it is: `{"ok": false}` is wrong, however it is written. */
export function healthFindings(ready: Record<string, unknown>): Finding[] {
  return Object.entries(ready)
    .filter(([name]) => name !== 'ready')
    .map(([name, entry]): Finding => {
      const { ok, because } = entry as { ok: unknown; because?: string }
      return { name, ok: ok === true, says: because ?? (ok === true ? 'ok' : 'is not well and does not say why') }
    })
}
