import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useRoute } from '../../../ui/api.ts'
import { Ago } from '../../../ui/format.tsx'
import { Lamp } from '../../../ui/signal.tsx'
import { routes, type RequestRow } from '../contract.ts'

/**
 * The tab “Agreement” of a thing that requests cover: change it and their keys fall out. No tab where none does.
 * @param id of the thing; undefined while there is none
 */
export function useAgreements(id: string | undefined): { Agreement?: ReactNode } {
  const found = useRoute(routes.list, { query: { covers: id ?? '' } }, { enabled: id !== undefined })
  return found.data === undefined || found.data.length === 0 ? {} : { Agreement: <Agreements rows={found.data} /> }
}

function Agreements({ rows }: { rows: readonly RequestRow[] }) {
  return (
    <div className="stack">
      <p className="secondary">Keys of these requests are on it too. Change it and they fall out.</p>
      <ul className="history">
        {rows.map((row) => (
          <li key={row.id}>
            <Link to={`/requests/${row.id}`}>{row.title}</Link>
            <br />
            <span className="row">
              <Lamp lane={row.lane} needs={row.needs} />
              <span className="secondary">
                {row.stands}, asked <Ago at={row.openedAt} />
              </span>
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}
