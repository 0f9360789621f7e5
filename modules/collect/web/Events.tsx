import { Modal } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useRoute } from '../../../ui/api.ts'
import { Ago } from '../../../ui/format.tsx'
import { Ask, Facts, Table } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes, type Inspected } from '../contract.ts'

/** The latest events; each opens to its raw body. */
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
  const [open, setOpen] = useState<Inspected | undefined>()
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
              <button
                type="button"
                className="plain-link"
                onClick={() => {
                  setOpen(row)
                }}
              >
                {row.name === '' ? row.type : row.name}
              </button>
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
      <Modal
        opened={open !== undefined}
        onClose={() => {
          setOpen(undefined)
        }}
        size="lg"
        title={open === undefined ? '' : `${open.type} ${open.name}`}
      >
        {open === undefined ? null : <One event={open} />}
      </Modal>
    </>
  )
}

function Became({ event }: { event: Inspected }) {
  if (event.outcome === 'stored') return <Mark is="ok">stored</Mark>
  if (event.outcome === 'in-flight') return <span className="secondary">in flight</span>
  if (event.outcome === 'deduplicated') return <span className="secondary">seen before</span>
  return (
    <Mark is="warn">
      {event.outcome}: {event.because}
    </Mark>
  )
}

function One({ event }: { event: Inspected }) {
  const found = useRoute(routes.event, { params: { position: event.position } })
  return (
    <div className="stack">
      <Facts
        rows={[
          { label: 'Message id', says: <code>{event.messageId}</code> },
          { label: 'Said to be at', says: event.originalAt ?? 'it named no time' },
          { label: 'Sent at', says: event.sentAt ?? 'it named no time' },
          { label: 'Arrived at', says: event.receivedAt },
          {
            label: 'Counts at',
            says: `${event.time ?? ''}${event.clamped ? ' (moved to now: it lay too far ahead)' : ''}`,
          },
        ]}
      />
      <Ask of={found}>
        {(one) => (
          <pre>
            <code>{pretty(one.raw)}</code>
          </pre>
        )}
      </Ask>
    </div>
  )
}
function pretty(raw: string): string {
  try {
    return JSON.stringify(JSON.parse(raw), null, 2)
  } catch {
    return raw
  }
}
