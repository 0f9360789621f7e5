import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useRoute } from '../../../ui/api.ts'
import { Ago, count, plural } from '../../../ui/format.tsx'
import { List, type Column } from '../../../ui/list.tsx'
import { Page } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes, type Destination } from '../contract.ts'

const columns: readonly Column<Destination>[] = [
  {
    head: 'Destination',
    cell: (one) => (
      <>
        <Link to={`/destinations/${one.id}`}>{one.name}</Link>
        <br />
        <span className="secondary">{one.kindName}</span>
      </>
    ),
  },
  { head: 'Stands', cell: (one) => <Stands of={one} /> },
  { head: 'Delivered', right: true, cell: (one) => count(one.counts.delivered) },
  { head: 'Waiting', right: true, cell: (one) => count(one.counts.waiting) },
  { head: 'Dead letters', right: true, cell: (one) => count(one.counts.deadLetters) },
  { head: 'Values that stayed', right: true, cell: (one) => count(one.counts.dropped) },
  { head: 'Last delivery', cell: (one) => <Ago at={one.lastDeliveredAt} /> },
]

/** Every destination: how it stands, what waits, what stayed here. */
export function DestinationsPage() {
  const list = useRoute(routes.list, {}, { everyMs: 5_000 })
  const add = (
    <Button component={Link} to="/destinations/new">
      Send events on
    </Button>
  )
  return (
    <Page
      title="Destinations"
      sub="Where events are sent on to. Only the fields of an agreed contract leave; everything else stays here and is counted."
      actions={add}
      {...(list.data === undefined || list.data.length === 0 ? {} : { sentence: sentenceOf(list.data) })}
    >
      <List
        label="Destinations"
        of={list}
        empty={{
          sentence: 'Events are not sent on to anybody yet.',
          example:
            'A webhook of your warehouse gets “Order Completed” with customer number and total: that is a contract, and both sides hold a key to it. A birthday that a source sends too stays here.',
          action: add,
        }}
        columns={columns}
      />
    </Page>
  )
}

function sentenceOf(all: readonly Destination[]): string {
  const live = all.filter((one) => one.state === 'live')
  const failing = live.filter((one) => one.failingSince !== null)
  const stayed = all.reduce((sum, one) => sum + one.counts.dropped, 0)
  const trouble =
    failing.length === 0
      ? 'none of them fails'
      : `${failing.map((one) => `“${one.name}”`).join(' and ')} ${failing.length === 1 ? 'takes' : 'take'} nothing now`
  return `${plural(all.length, 'destination', 'destinations')}, ${count(live.length)} live; ${trouble}. ${plural(stayed, 'value', 'values')} stayed here, because no contract names ${stayed === 1 ? 'it' : 'them'}.`
}

/** The state in a word, with a mark. */
export function Stands({ of }: { of: Destination }) {
  if (of.state === 'live')
    return of.failingSince === null ? <Mark is="ok">live</Mark> : <Mark is="warn">live, takes nothing</Mark>
  if (of.state === 'draft')
    return <Mark is="warn">{of.request === null ? 'draft, nobody asked' : `draft, request ${of.request.state}`}</Mark>
  return <Mark is={of.state === 'paused' ? 'warn' : 'fail'}>{of.state}</Mark>
}
