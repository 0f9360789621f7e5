import { Button } from '@mantine/core'
import { Ago, count, percent, plural } from '../../../ui/format.tsx'
import { Empty, Table } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { keyOf, labelOfEvent, modes, propertyTypes, type PlannedEvent, type SeenEvent } from '../contract.ts'

/** What arrived and the plan does not know, with one click to take it in. */
export function SeenEvents(props: {
  seen: readonly SeenEvent[]
  busy: boolean
  adopt: (events: readonly SeenEvent[] | 'all') => void
}) {
  const { seen, busy, adopt } = props
  const open = seen.filter((event) => !event.planned || event.properties.some((property) => property.planned !== 'yes'))
  if (seen.length === 0)
    return (
      <Empty
        sentence="Nothing has arrived yet."
        example="An event that this source sends would be here within five seconds, with its properties, their types and samples."
      />
    )
  if (open.length === 0) return <p>Everything that arrived is planned.</p>
  const news = open.filter((event) => !event.planned || event.properties.some((one) => one.planned === 'no'))
  return (
    <div className="stack">
      {news.length === 0 ? null : (
        <div className="row">
          <Button
            loading={busy}
            onClick={() => {
              adopt('all')
            }}
          >
            {news.length === 1 ? 'Adopt it' : `Adopt all ${count(news.length)}`}
          </Button>
          <span className="secondary">What people wrote in the plan stays as it is.</span>
        </div>
      )}
      <Table label="Arrived and not planned" head={['Event', 'Came', 'Last', 'What is not planned', '']} right={[1]}>
        {open.map((event) => (
          <tr key={keyOf(event)}>
            <td>
              <b>{labelOfEvent(event)}</b>
            </td>
            <td className="right">{count(event.events)}</td>
            <td>
              <Ago at={event.lastAt} />
            </td>
            <td>
              {event.planned ? null : <div>The event itself</div>}
              <Properties event={event} />
            </td>
            <td>
              {!event.planned || event.properties.some((one) => one.planned === 'no') ? (
                <Button
                  size="compact-sm"
                  variant="default"
                  disabled={busy}
                  aria-label={`Adopt ${labelOfEvent(event)}`}
                  onClick={() => {
                    adopt([event])
                  }}
                >
                  Adopt
                </Button>
              ) : null}
            </td>
          </tr>
        ))}
      </Table>
    </div>
  )
}

function Properties({ event }: { event: SeenEvent }) {
  const open = event.properties.filter((property) => property.planned !== 'yes')
  if (open.length === 0) return null
  return (
    <details>
      <summary>{plural(open.length, 'property', 'properties')}</summary>
      <ul className="plain-list">
        {open.map((property) => (
          <li key={property.name}>
            <code>{property.name}</code>: {propertyTypes[property.type]}, in{' '}
            {percent(property.events / Math.max(1, event.events))} of them
            {property.planned === 'other-type' ? ' (another type than planned)' : ''}
            {property.samples.length === 0 ? null : (
              <span className="secondary"> such as {property.samples.join(' · ')}</span>
            )}
          </li>
        ))}
      </ul>
    </details>
  )
}

/** What is planned, with what came of it. */
export function PlannedEvents(props: {
  events: readonly PlannedEvent[]
  seen: readonly SeenEvent[]
  busy: boolean
  edit: (event: PlannedEvent) => void
  remove: (event: PlannedEvent) => void
}) {
  const came = new Map(props.seen.map((event) => [keyOf(event), event]))
  return (
    <Table label="Planned events" head={['Event', 'Properties', 'Came', 'Last', '']} right={[2]}>
      {props.events.map((event) => {
        const seen = came.get(keyOf(event))
        return (
          <tr key={keyOf(event)}>
            <td>
              <b>{labelOfEvent(event)}</b> {event.status === 'deprecated' ? <Mark is="warn">deprecated</Mark> : null}
              {event.description === '' ? null : <div className="secondary">{event.description}</div>}
              {event.mode === undefined ? null : (
                <div className="secondary" title={modes[event.mode]}>
                  its own mode: {event.mode}
                </div>
              )}
            </td>
            <td>
              {event.properties.length === 0 ? (
                'none'
              ) : (
                <details>
                  <summary>{plural(event.properties.length, 'property', 'properties')}</summary>
                  <ul className="plain-list">
                    {event.properties.map((property) => (
                      <li key={property.name}>
                        <code>{property.name}</code>: {propertyTypes[property.type]}
                        {property.required ? ', required' : ''}
                        {property.meaning === '' ? null : <span className="secondary"> {property.meaning}</span>}
                      </li>
                    ))}
                  </ul>
                </details>
              )}
            </td>
            <td className="right">{count(seen?.events ?? 0)}</td>
            <td>
              <Ago at={seen?.lastAt ?? null} />
            </td>
            <td>
              <div className="row">
                <Button
                  size="compact-sm"
                  variant="default"
                  aria-label={`Edit ${labelOfEvent(event)}`}
                  onClick={() => {
                    props.edit(event)
                  }}
                >
                  Edit
                </Button>
                <Button
                  size="compact-sm"
                  variant="default"
                  disabled={props.busy}
                  aria-label={`Take out ${labelOfEvent(event)}`}
                  onClick={() => {
                    props.remove(event)
                  }}
                >
                  Take out
                </Button>
              </div>
            </td>
          </tr>
        )
      })}
    </Table>
  )
}
