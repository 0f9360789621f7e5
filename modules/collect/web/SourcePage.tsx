import { Button, CopyButton, Tabs } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { AuditOf } from '../../audit/web/index.tsx'
import { useAgreements } from '../../requests/web/index.tsx'
import { routes as sources, sourceKinds, type Source } from '../../sources/contract.ts'
import { call, useDeed, useRoute } from '../../../ui/api.ts'
import { Bars } from '../../../ui/chart.tsx'
import { Ago, count, Meant, plural } from '../../../ui/format.tsx'
import { Ask, Card, ObjectLayout, Page, useParam } from '../../../ui/page.tsx'
import { routes, type Ledger } from '../contract.ts'
import { Events } from './Events.tsx'

/** One feed: its key, how to send to it, what arrived and what became of it. */
export function SourcePage() {
  const id = useParam('id')
  const found = useRoute(sources.get, { params: { id } })
  const agreements = useAgreements(found.data?.toolId ?? undefined)
  const ledger = useRoute(routes.ledger, {}, { everyMs: 10_000 })
  const change = useDeed(sources.change, {
    touches: ['/api/sources', '/api/audit'],
    done: (now) =>
      now.enabled ? 'It is on: what comes is taken in.' : 'It is off: what comes is refused, and the sender is told.',
    undo: (now) => () => call(sources.change, { params: { id: now.id }, body: { enabled: !now.enabled } }),
  })
  return (
    <Ask of={found} shape="page">
      {(source) => (
        <ObjectLayout
          panel={{
            ...agreements,
            Audit: <AuditOf kind="source" id={source.id} />,
          }}
        >
          <Page
            title={source.name}
            crumbs={[{ label: 'Sources', to: '/sources' }, { label: source.name }]}
            sub={
              source.kind === 'internal' ? 'Interlock’s own events: what became of messages.' : sourceKinds[source.kind]
            }
            actions={
              source.kind === 'internal' ? undefined : (
                <>
                  <Button
                    variant="default"
                    loading={change.isPending}
                    onClick={() => {
                      change.mutate({ params: { id: source.id }, body: { enabled: !source.enabled } })
                    }}
                  >
                    {source.enabled ? 'Switch it off' : 'Switch it on'}
                  </Button>
                  <Button component={Link} to={`/imports?source=${source.id}`} variant="default">
                    Import a file
                  </Button>
                  <Button component={Link} to={`/sources/${source.id}/plan`} variant="default">
                    Tracking plan
                  </Button>
                </>
              )
            }
          >
            <Ask of={ledger}>{(now) => <Counted ledger={now} source={source} />}</Ask>
            {source.kind === 'internal' ? null : <HowTo source={source} />}
            <Card title="Latest events" aside={<Link to={`/sources/live?source=${source.id}`}>see them arrive</Link>}>
              <Events sourceId={source.id} limit={25} />
            </Card>
          </Page>
        </ObjectLayout>
      )}
    </Ask>
  )
}

/** The beginnings of the last hours, the present one last, in milliseconds. */
function lastHours(many: number): number[] {
  const now = Math.floor(Date.now() / 3_600_000) * 3_600_000
  return Array.from({ length: many }, (_none, index) => now - (many - 1 - index) * 3_600_000)
}

function Counted({ ledger, source }: { ledger: Ledger; source: Source }) {
  const mine = ledger.bySource.find((row) => row.sourceId === source.id)
  if (mine === undefined || mine.received === 0)
    return <p className="sentence">Nothing has arrived yet. Send a first event as below; it is here within a second.</p>
  const hours = new Map<number, number>()
  for (const row of ledger.hours)
    if (row.sourceId === source.id) {
      const hour = Date.parse(row.hour)
      hours.set(hour, (hours.get(hour) ?? 0) + row.events)
    }
  return (
    <>
      <p className="sentence">
        {plural(mine.received, 'event was', 'events were')} received, {count(mine.last24Hours)} of them in the last 24
        hours, the last one <Ago at={mine.lastReceivedAt} />.
      </p>
      <Card>
        <div className="numbers">
          {(
            [
              ['stored', 'Stored', 'In the store, each once.'],
              [
                'deduplicated',
                'Deduplicated',
                'Sent again by the sender (a retry), recognised by source and messageId, stored once.',
              ],
              [
                'quarantined',
                'Quarantined',
                'Put aside with a reason; nothing of it is lost. What is replayed moves from here to what became of it.',
              ],
              [
                'rejected',
                'Rejected',
                'Refused at the door with a clear answer and never acknowledged; or blocked by the tracking plan, which the sender is not told.',
              ],
              ['inFlight', 'In flight', 'Acknowledged, on disk, on its way to the store.'],
            ] as const
          ).map(([key, label, means]) => (
            <div key={key}>
              <b>{count(mine[key])}</b>
              <span className="secondary">
                <Meant means={means}>{label}</Meant>
              </span>
            </div>
          ))}
        </div>
      </Card>
      <Card>
        <Bars
          label="Events an hour, last two days"
          unit="events"
          bars={lastHours(48).map((hour) => ({
            label: new Date(hour).toLocaleString('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' }),
            value: hours.get(hour) ?? 0,
          }))}
        />
      </Card>
    </>
  )
}

function HowTo({ source }: { source: Source }) {
  const host = window.location.origin
  const onPages: Record<string, string> = {
    'On your pages': `<script async src="${host}/interlock.js" data-write-key="${source.writeKey}"></script>`,
    'Segment, browser': `import { AnalyticsBrowser } from '@segment/analytics-next'
export const analytics = AnalyticsBrowser.load({ writeKey: '${source.writeKey}', cdnURL: '${host}' })
analytics.page()`,
    'RudderStack, browser': `import { RudderAnalytics } from '@rudderstack/analytics-js/bundled'
const analytics = new RudderAnalytics()
analytics.load('${source.writeKey}', '${host}', { configUrl: '${host}', polyfillIfRequired: false })
analytics.page()`,
  }
  const curl = `curl ${host}/v1/track -u ${source.writeKey}: -H 'content-type: application/json' \\
  -d '{"userId":"me","event":"First Event","properties":{"hello":"Interlock"},"context":{"traits":{"email":"me@example.com"}}}'`
  const onServers: Record<string, string> = {
    curl,
    'Interlock, Node': `import { createInterlock } from '@interlock/node'
const interlock = createInterlock({ host: '${host}', writeKey: '${source.writeKey}', spool: './interlock-spool' })
// Each call resolves when the event is on disk; the next process sends what this one could not.
await interlock.track({ userId: 'me', event: 'First Event' })
await interlock.close()`,
    'Segment, Node': `import { Analytics } from '@segment/analytics-node'
const analytics = new Analytics({ writeKey: '${source.writeKey}', host: '${host}' })
analytics.identify({ userId: 'me', traits: { email: 'me@example.com' } })
analytics.track({ userId: 'me', event: 'First Event' })
await analytics.closeAndFlush()`,
    'RudderStack, Node': `import RudderAnalytics from '@rudderstack/rudder-sdk-node'
const analytics = new RudderAnalytics('${source.writeKey}', { dataPlaneUrl: '${host}' })
analytics.track({ userId: 'me', event: 'First Event' })
analytics.flush()`,
  }
  const ways: Record<string, string> = {
    ...(source.kind === 'web' ? { ...onPages, curl } : onServers),
    'A file': `npx interlock import "${source.name}" customers.csv`,
  }
  return (
    <Card
      title="Send to it"
      aside={
        <>
          write key <code>{source.writeKey}</code>
        </>
      }
    >
      {source.kind === 'web' ? (
        <p className="sentence">
          One line in the head of every page: page views, sessions, Web Vitals, links and forms, without the values of
          forms and without asking any other host. Add <code>data-consent="required"</code> where nothing may be stored
          or sent before a yes.
        </p>
      ) : null}
      {/* Numbers, because the values become ids and those have no blanks. */}
      <Tabs defaultValue="0" keepMounted={false} mt="sm">
        <Tabs.List aria-label="Ways to send">
          {Object.keys(ways).map((way, at) => (
            <Tabs.Tab key={way} value={String(at)}>
              {way}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {Object.entries(ways).map(([way, text], at) => (
          <Tabs.Panel key={way} value={String(at)}>
            <pre>
              <code>{text}</code>
            </pre>
            <CopyButton value={text}>
              {({ copied, copy }) => (
                <Button size="xs" variant="default" aria-label={`Copy: ${way}`} onClick={copy}>
                  {copied ? 'Copied' : 'Copy'}
                </Button>
              )}
            </CopyButton>
          </Tabs.Panel>
        ))}
      </Tabs>
      <p className="secondary">
        A shop, a form or a payment service sends by a <Link to={`/webhooks?source=${source.id}`}>webhook</Link>; what
        the site publishes comes by its <Link to={`/feeds?source=${source.id}`}>feed</Link>.
      </p>
    </Card>
  )
}
