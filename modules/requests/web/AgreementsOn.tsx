import { Link } from '@tanstack/react-router'
import { useRoute } from '../../../ui/api.ts'
import { Ago } from '../../../ui/format.tsx'
import { Ask } from '../../../ui/page.tsx'
import { Lamp } from '../../../ui/signal.tsx'
import { routes } from '../contract.ts'

/** The requests whose keys are on this thing too: change it and they fall out. */
export function AgreementsOn({ id }: { id: string }) {
  const found = useRoute(routes.list, { query: { covers: id } })
  return (
    <Ask of={found}>
      {(rows) =>
        rows.length === 0 ? (
          <p className="secondary">
            No request covers it yet. When something that uses it asks to go live, the keys are on it too.
          </p>
        ) : (
          <ul className="history">
            {rows.map((row) => (
              <li key={row.id}>
                <Link to={`/requests/${row.id}`}>{row.title}</Link>
                <br />
                <span className="row">
                  <Lamp lane={row.lane} />
                  <span className="secondary">
                    {row.state}, asked <Ago at={row.openedAt} />
                  </span>
                </span>
              </li>
            ))}
          </ul>
        )
      }
    </Ask>
  )
}
