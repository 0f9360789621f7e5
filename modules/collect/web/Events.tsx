import { Link } from '@tanstack/react-router'
import { useRoute } from '../../../ui/api.ts'
import { Ago } from '../../../ui/format.tsx'
import { Ask, Table } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes, type Inspected } from '../contract.ts'

/** The latest events; each leads to its whole way. */
export function Events({
  sourceId,
  limit,
  events,
  names,
}: {
  sourceId?: string
  limit: number
  events?: readonly Inspected[]
  names?: ReadonlyMap<string, string>
}) {
  const recent = useRoute(
    routes.recent,
    { query: { limit, ...(sourceId === undefined ? {} : { source: sourceId }) } },
    { enabled: events === undefined, everyMs: 4_000 },
  )
  const rows = events ?? recent.data?.events
  if (rows === undefined) return <Ask of={recent}>{() => null}</Ask>
  if (rows.length === 0)
    return <p className="secondary">Nothing arrived since the server started. Events show here within a second.</p>
  return (
    <>
      <Table
        label="Latest events"
        head={['Arrived', 'Event', 'Who', ...(names === undefined ? [] : ['Source']), 'Became']}
      >
        {rows.map((row) => (
          <tr key={row.position}>
            <td>
              <Ago at={row.receivedAt} />
            </td>
            <td>
              <Link to={`/sources/events/${row.position}`}>{row.name || row.type || 'cannot be read'}</Link>
              <br />
              <span className="secondary">{row.type}</span>
            </td>
            <td>
              {row.profileId === '' ? (
                <code>{row.userId || row.anonymousId || '–'}</code>
              ) : (
                <Link to={`/people/${row.profileId}`}>{row.userId || row.anonymousId || 'a person'}</Link>
              )}
            </td>
            {names === undefined ? null : <td>{names.get(row.sourceId) ?? ''}</td>}
            <td>
              <Became event={row} />
            </td>
          </tr>
        ))}
      </Table>
    </>
  )
}

function Became({ event }: { event: Inspected }) {
  if (event.outcome === 'stored') return <Mark is="ok">stored</Mark>
  if (event.outcome === 'in-flight') return <span className="secondary">in flight</span>
  if (event.outcome === 'deduplicated')
    return event.reason === '' ? (
      <span className="secondary">seen before</span>
    ) : (
      <Mark is="warn">seen before, and said something else</Mark>
    )
  return (
    <Mark is="warn">
      {event.outcome}: {event.because}
    </Mark>
  )
}
