import { Button, Select } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { routes as sources } from '../../sources/contract.ts'
import { useAddress } from '../../../ui/address.tsx'
import { useRoute } from '../../../ui/api.ts'
import { Ago, count, Meant, plural } from '../../../ui/format.tsx'
import { Ask, Card, Empty, Page, Table } from '../../../ui/page.tsx'
import { StackedBars } from '../../../ui/stacked-bars.tsx'
import { ledgerHours, routes, type Counts, type LedgerPage as Found } from '../contract.ts'

const spans = [
  { value: '24', label: '24 hours' },
  { value: '48', label: '48 hours' },
  { value: '168', label: '7 days' },
  { value: '336', label: '14 days' },
]
const outcomes = [
  ['stored', 'stored', 'In the store, each once.'],
  ['deduplicated', 'deduplicated', 'Sent again by the sender, recognised by source and message id, stored once.'],
  [
    'quarantined',
    'quarantined',
    'Put aside with a reason, kept for 90 days. What is replayed moves from here to what became of it.',
  ],
  ['rejected', 'rejected', 'Refused at the door and never acknowledged; or blocked by the tracking plan.'],
  ['inFlight', 'in flight', 'Acknowledged, on disk, on its way to the store.'],
] as const

const hourLabel = (at: string) =>
  new Date(at).toLocaleString('en-GB', { weekday: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' })
const partsOf = (hours: readonly Counts[]) =>
  outcomes.map(([key, label]) => ({ label, values: hours.map((hour) => hour[key]) }))

/** What was received and what became of all of it: nothing disappears in silence. */
export function LedgerPage() {
  const [{ source, hours, until }, put] = useAddress()
  const span = Number(hours ?? ledgerHours.usual)
  const query = {
    hours: Number.isInteger(span) && span >= 1 && span <= ledgerHours.most ? span : ledgerHours.usual,
    ...(source === undefined ? {} : { source: source as never }),
    ...(until === undefined || Number.isNaN(Date.parse(until)) ? {} : { until: new Date(until).toISOString() }),
  }
  const found = useRoute(routes.ledgerPage, { query }, { keep: true, everyMs: 10_000 })
  const list = useRoute(sources.list)
  const names = new Map((list.data?.sources ?? []).map((one) => [one.id as string, one.name]))
  const words = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]))
  return (
    <Page
      title="Ledger"
      crumbs={[{ label: 'Sources', to: '/sources' }, { label: 'Ledger' }]}
      sub="What was received, and what became of all of it. Received = stored + deduplicated + quarantined + rejected + in flight, for every source and hour; counts and journal are compared every 30 seconds."
      actions={
        <>
          <Button component={Link} to="/sources/capacity" variant="default">
            Capacity
          </Button>
          <Button component="a" variant="default" href={`/api/collect/ledger.csv?${words.toString()}`} download>
            Download as CSV
          </Button>
        </>
      }
    >
      <Ask of={found} shape="page">
        {(page) => (
          <>
            <Verdict page={page} name={(id) => names.get(id) ?? id} />
            <div className="condition">
              <Select
                label="Source"
                placeholder="every source"
                clearable
                data={[...names].map(([value, label]) => ({ value, label }))}
                value={source ?? null}
                onChange={(value) => {
                  put({ source: value ?? undefined })
                }}
              />
              <Select
                label="Time"
                data={
                  spans.some((one) => one.value === String(query.hours))
                    ? spans
                    : [...spans, { value: String(query.hours), label: plural(query.hours, 'hour', 'hours') }]
                }
                value={String(query.hours)}
                allowDeselect={false}
                onChange={(value) => {
                  put({ hours: value ?? undefined })
                }}
              />
              <Button
                variant="default"
                onClick={() => {
                  put({ until: new Date(Date.parse(page.from) - 1).toISOString() }, { step: true })
                }}
              >
                Earlier
              </Button>
              <Button
                variant="default"
                disabled={until === undefined}
                title={until === undefined ? 'This is up to now.' : undefined}
                onClick={() => {
                  const next = Date.parse(page.to) + query.hours * 3_600_000 - 1
                  put({ until: next >= Date.now() ? undefined : new Date(next).toISOString() }, { step: true })
                }}
              >
                Later
              </Button>
            </div>
            {page.total.received === 0 && page.replayed.events === 0 ? (
              <Nothing filtered={source !== undefined || until !== undefined} />
            ) : (
              <Sums page={page} name={(id) => names.get(id) ?? id} only={source !== undefined} />
            )}
          </>
        )}
      </Ask>
    </Page>
  )
}

/** Whether it adds up, in one sentence. */
function Verdict({ page, name }: { page: Found; name: (id: string) => string }) {
  const { alarm, total } = page
  if (alarm !== null)
    return (
      <div className="problem" role="alert">
        <strong>{alarm.sentence}</strong>
        <span>
          Since <Ago at={alarm.since} />.{' '}
          {alarm.sources.length === 0
            ? ''
            : `The counts of ${alarm.sources.map(name).join(', ')} are not what the pipeline counted. `}
          What was acknowledged is in the journal and in the store: stop nothing, and follow “The ledger does not add
          up” in docs/operations.
        </span>
      </div>
    )
  return (
    <p className="sentence">
      {page.lookedAt === null
        ? 'The first comparison with the journal is under way. '
        : 'It adds up: nothing that was ever received is missing. '}
      In this time {plural(total.received, 'event was', 'events were')} received
      {outcomes
        .filter(([key]) => total[key] > 0)
        .map(([key, label], index) => `${index === 0 ? ': ' : ', '}${count(total[key])} ${label}`)
        .join('')}
      .{' '}
      {page.lookedAt === null ? null : (
        <span className="secondary">
          Compared with the journal <Ago at={page.lookedAt} />.
        </span>
      )}
    </p>
  )
}

function Nothing({ filtered }: { filtered: boolean }) {
  return (
    <Empty
      sentence={filtered ? 'Nothing arrived from this source in this time.' : 'Nothing arrived in this time.'}
      example="1,204 received = 1,190 stored + 9 deduplicated (a shop sent them twice) + 4 quarantined (no identifier) + 1 rejected (unknown write key) + 0 in flight. Every event is in exactly one of these, and the sum is proven against the journal."
      action={
        <Button component={Link} to="/sources">
          See how to send events
        </Button>
      }
    />
  )
}

function Sums({ page, name, only }: { page: Found; name: (id: string) => string; only: boolean }) {
  const steps = page.hours.map((one) => hourLabel(one.hour))
  const called = (id: string) =>
    id === '' ? 'no source (unknown key or unreadable)' : id === 'others' ? 'all others' : name(id)
  return (
    <>
      <Card>
        <div className="numbers">
          <div>
            <b>{count(page.total.received)}</b>
            <span className="secondary">
              <Meant means="Events that reached the door: the sum of the five beside it.">received</Meant>
            </span>
          </div>
          {outcomes.map(([key, label, means]) => (
            <div key={key}>
              <b>{count(page.total[key])}</b>
              <span className="secondary">
                <Meant means={means}>{label}</Meant>
              </span>
            </div>
          ))}
        </div>
        {page.replayed.events === 0 && page.replayed.again === 0 ? null : (
          <p className="secondary">
            {plural(page.replayed.events, 'event was', 'events were')} replayed out of the quarantine and{' '}
            {page.replayed.events === 1 ? 'is' : 'are'} counted as what became of{' '}
            {page.replayed.events === 1 ? 'it' : 'them'} now, in the hour of arrival
            {page.replayed.again === 0
              ? ''
              : `; ${plural(page.replayed.again, 'row', 'rows')} that had been replayed before changed nothing`}
            .
          </p>
        )}
      </Card>
      {page.large === 0 ? null : (
        <p className="secondary">
          {plural(page.large, 'event was', 'events were')} larger than 32 KB: accepted and counted above, though other
          products refuse them.
        </p>
      )}
      <Card>
        <StackedBars label="What became of it, an hour" unit="events" steps={steps} parts={partsOf(page.hours)} />
      </Card>
      {only ? null : (
        <Card title="Each source">
          <Table
            label="Sources"
            head={['Source', 'Received', 'Stored', 'Deduplicated', 'Quarantined', 'Rejected', 'In flight', 'An hour']}
            right={[1, 2, 3, 4, 5, 6]}
          >
            {page.sources.map((row) => (
              <tr key={row.sourceId}>
                <td>
                  {row.sourceId.startsWith('source_') ? (
                    <Link to={`/sources/${row.sourceId}`}>{called(row.sourceId)}</Link>
                  ) : (
                    called(row.sourceId)
                  )}
                </td>
                <td className="right">{count(row.received)}</td>
                {outcomes.map(([key]) => (
                  <td key={key} className="right">
                    {count(row[key])}
                  </td>
                ))}
                <td>
                  <StackedBars
                    small
                    label={`${called(row.sourceId)}, an hour`}
                    unit="events"
                    steps={steps}
                    parts={partsOf(row.perHour)}
                  />
                </td>
              </tr>
            ))}
          </Table>
        </Card>
      )}
      {page.reasons.length === 0 ? null : <Reasons page={page} />}
    </>
  )
}

function Reasons({ page }: { page: Found }) {
  const [{ source }] = useAddress()
  const from = source === undefined ? '' : `&source=${source}`
  return (
    <Card title="Why something was put aside, refused or told apart">
      <Table label="Reasons" head={['Reason', 'Became', 'Events', '']} right={[2]}>
        {page.reasons.map((row) => (
          <tr key={`${row.outcome} ${row.reason}`}>
            <td>
              {row.because}
              <br />
              <code>{row.reason}</code>
            </td>
            <td>{row.outcome}</td>
            <td className="right">{count(row.events)}</td>
            <td>
              {row.outcome === 'quarantined' ? (
                <Link to={`/sources/quarantine?reason=${row.reason}${from}`}>See them</Link>
              ) : row.reason === 'unknown_write_key' ? (
                <Link to="/sources/quarantine" hash="parked">
                  See the parked keys
                </Link>
              ) : row.reason === 'blocked_by_plan' && source !== undefined ? (
                <Link to={`/sources/${source}/violations`}>See the violations</Link>
              ) : null}
            </td>
          </tr>
        ))}
      </Table>
    </Card>
  )
}
