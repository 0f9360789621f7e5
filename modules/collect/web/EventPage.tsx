import { Button, Select, TextInput } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { routes as sources } from '../../sources/contract.ts'
import { useAddress } from '../../../ui/address.tsx'
import { useRoute } from '../../../ui/api.ts'
import { Ago, count } from '../../../ui/format.tsx'
import { Ask, Card, Empty, Facts, Page, Table, useParam } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes, type EventWay } from '../contract.ts'

/** One event by its place in the journal. */
export function EventPage() {
  const position = useParam('position')
  return <Way query={{ position }} crumb={position} />
}

/** One event by its source and message id: also when the journal does not keep it any more. */
export function EventSearchPage() {
  const [{ source, message }] = useAddress()
  if (source !== undefined && message !== undefined && message !== '')
    return <Way query={{ source: source as never, message }} crumb={message} />
  return (
    <Page
      title="Find an event"
      crumbs={[
        { label: 'Sources', to: '/sources' },
        { label: 'Live', to: '/sources/live' },
        { label: 'Find an event' },
      ]}
      sub="Every event that was ever stored can be found by its source and message id."
    >
      <Card>
        <Search />
      </Card>
      <Empty
        sentence="The whole way of the event will be here."
        example="Its body as it came, its four times, and what each step did: read and checked, seen before, tracking plan, who it is, consent, store, destinations."
      />
    </Page>
  )
}

function Search() {
  const [words] = useAddress()
  const navigate = useNavigate()
  const list = useRoute(sources.list)
  const [source, setSource] = useState<string | null>(words['source'] ?? null)
  const [message, setMessage] = useState('')
  return (
    <form
      className="condition"
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        if (source !== null && message.trim() !== '')
          void navigate({ to: '/sources/events', search: { source, message: message.trim() } })
      }}
    >
      <Select
        label="Source"
        required
        data={(list.data?.sources ?? []).map((one) => ({ value: one.id as string, label: one.name }))}
        value={source}
        onChange={setSource}
      />
      <TextInput
        label="Message id"
        required
        value={message}
        onChange={(event) => {
          setMessage(event.currentTarget.value)
        }}
      />
      <Button type="submit">Find it</Button>
    </form>
  )
}

type Query = { position: string } | { source: never; message: string }

function Way({ query, crumb }: { query: Query; crumb: string }) {
  const found = useRoute(routes.way, { query })
  const list = useRoute(sources.list)
  const name = (id: string) => (list.data?.sources ?? []).find((one) => one.id === id)?.name ?? id
  return (
    <Ask of={found} shape="page">
      {(event) => (
        <Page
          title={event.name === '' ? event.type || 'An event that cannot be read' : event.name}
          crumbs={[
            { label: 'Sources', to: '/sources' },
            { label: 'Live', to: '/sources/live' },
            { label: event.name === '' ? event.type || crumb : event.name },
          ]}
          sub={
            <>
              {event.type} from <Link to={`/sources/${event.sourceId}`}>{name(event.sourceId)}</Link>, arrived{' '}
              <Ago at={event.receivedAt} />
            </>
          }
          sentence={sentenceOf(event)}
          actions={
            <>
              <Button component={Link} variant="default" to="/sources/events">
                Find another
              </Button>
              {event.profileId === '' ? null : (
                <Button component={Link} to={`/people/${event.profileId}`}>
                  Open the person
                </Button>
              )}
            </>
          }
        >
          <Steps event={event} />
          <Conflicts event={event} />
          <div className="cards">
            <Came event={event} />
            <Times event={event} />
          </div>
          <Body event={event} />
        </Page>
      )}
    </Ask>
  )
}

function sentenceOf(event: EventWay): string {
  const became = {
    stored: 'It is stored, once.',
    'in-flight': 'It is on disk and on its way to the store.',
    deduplicated: 'It came before, so it was not stored again.',
    quarantined: 'It was put aside.',
    rejected: 'It was refused.',
  }[event.outcome]
  const why = event.because === '' ? '' : ` ${event.because}`
  const large = event.large ? ' It is larger than 32 KB: accepted here, and refused by other products.' : ''
  return `${became}${why}${large}`
}

function Steps({ event }: { event: EventWay }) {
  return (
    <Card title="Its way, step by step">
      <Table label="Steps" head={['Step', 'What it did', 'What it knows']}>
        {event.steps.map((step) => (
          <tr key={step.name}>
            <td>{step.name}</td>
            <td>
              <Mark is={step.is}>{step.says}</Mark>
            </td>
            <td>
              {step.facts.map((fact, index) => (
                <div key={`${fact.label} ${String(index)}`}>
                  {fact.to === undefined ? <b>{fact.label}</b> : <Link to={fact.to}>{fact.label}</Link>}: {fact.says}
                </div>
              ))}
            </td>
          </tr>
        ))}
      </Table>
    </Card>
  )
}

function Conflicts({ event }: { event: EventWay }) {
  if (event.conflicts.length === 0) return null
  return (
    <Card title="Others under the same message id" aside="the first one won">
      <Table label="Conflicts" head={['Arrived', 'Differs in', 'What it said']}>
        {event.conflicts.map((one) => (
          <tr key={one.position}>
            <td>
              <Link to={`/sources/events/${one.position}`}>
                <Ago at={one.receivedAt} />
              </Link>
            </td>
            <td>{one.differs.join(', ')}</td>
            <td>
              <code>{one.raw.slice(0, 300)}</code>
            </td>
          </tr>
        ))}
      </Table>
    </Card>
  )
}

function Came({ event }: { event: EventWay }) {
  return (
    <Card title="What came with it">
      <Facts
        rows={[
          { label: 'Message id', says: <code>{event.messageId || 'none'}</code> },
          { label: 'Came in by', says: <code>{event.via || 'not kept any more'}</code> },
          { label: 'Network', says: event.network || 'not kept' },
          { label: 'Library', says: event.library || 'it named none' },
          { label: 'Size', says: `${count(event.bytes)} bytes${event.large ? ', over 32 KB' : ''}` },
          { label: 'Place in the journal', says: <code>{event.position}</code> },
          ...(event.replayed ? [{ label: 'Replayed', says: 'it came out of the quarantine' }] : []),
        ]}
      />
    </Card>
  )
}

function Times({ event }: { event: EventWay }) {
  return (
    <Card title="Its times">
      <Facts
        rows={[
          { label: 'Said to be at', says: event.originalAt ?? 'it named no time' },
          { label: 'Sent at', says: event.sentAt ?? 'it named no time' },
          { label: 'Arrived at', says: event.receivedAt },
          { label: 'Counts at', says: `${event.time ?? 'nowhere'}${event.clamped ? ' (our choice)' : ''}` },
          { label: 'Because', says: event.timeSays },
        ]}
      />
    </Card>
  )
}

function Body({ event }: { event: EventWay }) {
  const text = pretty(event.raw)
  return (
    <Card
      title={event.asStored ? 'As it was stored' : 'The body as it came'}
      aside={
        <Button size="xs" variant="default" onClick={() => void navigator.clipboard.writeText(event.raw)}>
          Copy
        </Button>
      }
    >
      {event.asStored ? (
        <p className="secondary">
          The journal does not keep the bytes of this event any more; this is what was read from them.
        </p>
      ) : null}
      <pre>
        <code>{text}</code>
      </pre>
    </Card>
  )
}

function pretty(raw: string): string {
  try {
    return JSON.stringify(JSON.parse(raw), null, 2)
  } catch {
    return raw
  }
}
