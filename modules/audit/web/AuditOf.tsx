import { useRoute } from '../../../ui/api.ts'
import { Ago } from '../../../ui/format.tsx'
import { Ask } from '../../../ui/page.tsx'
import { routes } from '../contract.ts'

/** What was done to one thing: the panel of its page. */
export function AuditOf({ kind, id }: { kind: string; id: string }) {
  const found = useRoute(routes.of, { params: { kind, id } })
  return (
    <Ask of={found}>
      {({ entries, actors }) =>
        entries.length === 0 ? (
          <p className="secondary">Nothing was done to it yet.</p>
        ) : (
          <ul className="history">
            {entries.map((entry) => (
              <li key={entry.seq}>
                {actors[entry.actor.id] ?? (entry.actor.id.startsWith('account_') ? 'somebody who left' : 'Interlock')}{' '}
                {within(entry.summary)}
                <br />
                <span className="secondary">
                  <Ago at={entry.at} /> · entry {entry.seq}
                </span>
              </li>
            ))}
          </ul>
        )
      }
    </Ask>
  )
}

/** A summary as it goes on after a name: some begin with a capital. */
const within = (summary: string) => `${summary.charAt(0).toLowerCase()}${summary.slice(1)}`
