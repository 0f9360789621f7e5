import { Link } from '@tanstack/react-router'
import { useRoute } from '../../../ui/api.ts'
import { At, count, Meant, percent, plural, Timed } from '../../../ui/format.tsx'
import { Ask, Card, Page, Table } from '../../../ui/page.tsx'
import { StackedBars } from '../../../ui/stacked-bars.tsx'
import { routes, type CapacityPage as Found, type Planned } from '../contract.ts'
import { Assumed } from './Assumed.tsx'
import { Measured } from './Measured.tsx'
import { rate } from './rate.ts'

const hourLabel = (at: string) =>
  new Date(at).toLocaleString('en-GB', { weekday: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' })

/** The days that begin within the hours, where the day has room for its name. */
const daysOf = (hours: Found['hours']) =>
  new Map(
    hours.flatMap(({ hour }, at) => {
      const when = new Date(hour)
      const begins = when.getHours() === 0 && at <= hours.length - 12
      return begins ? [[at, when.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric' })] as const] : []
    }),
  )

/** What this machine takes, what comes now, and what planned campaigns will bring: the warning when they cross. */
export function CapacityPage() {
  const measuring = useRoute(routes.page, {}, { keep: true }).data?.measuring != null
  const found = useRoute(routes.page, {}, { keep: true, everyMs: measuring ? 1_000 : 15_000 })
  return (
    <Page
      title="Capacity"
      crumbs={[{ label: 'Sources', to: '/sources' }, { label: 'Capacity' }]}
      sub="What this machine takes, measured; what comes; and what planned campaigns will bring in the next seven days."
    >
      <Ask of={found} shape="page">
        {(page) => (
          <>
            {page.warning === null ? (
              <p className="sentence">
                <Timed text={page.sentence} />
              </p>
            ) : (
              <div className="problem" role="alert">
                <strong>
                  <Timed text={page.warning.sentence} />
                </strong>
                <span>What would pass:</span>
                <ul>
                  {page.warning.passes.map((way) => (
                    <li key={way}>
                      <Timed text={way} />
                    </li>
                  ))}
                </ul>
                {page.warning.campaignId === null ? null : (
                  <Link to={`/campaigns/${page.warning.campaignId}`}>Open the campaign</Link>
                )}
              </div>
            )}
            <Measured page={page} />
            <Now page={page} />
            <Coming page={page} />
            <Campaigns page={page} />
            <Assumed key={JSON.stringify(page.assumed)} page={page} />
          </>
        )}
      </Ask>
    </Page>
  )
}

function Now({ page: { now } }: { page: Found }) {
  return (
    <Card title="What comes now">
      <div className="numbers">
        <div>
          <b>{rate(now.perSecond)}</b>
          <span className="secondary">
            <Meant means="Counted at the door of this process, nodes that hand on to it included.">
              events a second, in the last minute
            </Meant>
          </span>
        </div>
        <div>
          <b>{now.peak === null ? 'none' : rate(now.peak.perSecond)}</b>
          <span className="secondary">
            {now.peak === null ? (
              'events came in the last 28 days'
            ) : (
              <>
                <Meant means={`${plural(now.peak.events, 'event', 'events')} in that hour, from the ledger.`}>
                  events a second in the busiest hour of 28 days
                </Meant>
                , <At at={now.peak.hour} />
              </>
            )}
          </span>
        </div>
        <div>
          <b>{now.storing === null ? 'not seen yet' : rate(now.storing.perSecond)}</b>
          <span className="secondary">
            <Meant means="The fastest that at least 10,000 events in a row really went through tracking plan, identity, profiles and consent to the store since the server started.">
              events a second stored, at best
            </Meant>
            {now.storing === null ? '; it takes 10,000 events in a row to tell' : ''}
          </span>
        </div>
      </div>
      <p className="secondary below">
        What comes faster than it can be stored is acknowledged all the same and waits on disk: it is on the pages a
        little later, and none of it is lost.
      </p>
    </Card>
  )
}

function Coming({ page }: { page: Found }) {
  const { hours, measured } = page
  const round = (value: number) => (value < 10 ? Math.round(value * 10) / 10 : Math.round(value))
  const top = Math.max(0, ...hours.map((hour) => hour.base + hour.campaigns))
  const far = measured !== null && top > 0 && measured.perSecond > 3 * top
  return (
    <Card title="What will come">
      <StackedBars
        label="Events a second in the fullest ten minutes of each hour, next seven days"
        unit="events a second"
        steps={hours.map((hour) => hourLabel(hour.hour))}
        marks={daysOf(hours)}
        parts={[
          { label: 'comes anyway', values: hours.map((hour) => round(hour.base)) },
          { label: 'campaigns', values: hours.map((hour) => round(hour.campaigns)) },
        ]}
        {...(measured === null || far
          ? {}
          : { limit: { value: measured.perSecond, label: `the machine takes ${rate(measured.perSecond)}` } })}
      />
      <p className="secondary below">
        {far && measured !== null
          ? `The machine takes ${rate(measured.perSecond)}: ${count(Math.floor(measured.perSecond / top))} times the highest bar, so its line is far above this picture. `
          : ''}
        Comes anyway: the busiest that was seen at that hour of the day in 28 days, with one day in seven set aside, so
        that one import or campaign does not stand for every day. Campaigns: audience × response of each, spread over
        the time that sending takes and the hours in which people answer.
      </p>
    </Card>
  )
}

function Campaigns({ page }: { page: Found }) {
  return (
    <Card title="The campaigns">
      {page.campaigns.length === 0 ? (
        <p className="secondary">
          No campaign is planned, going out or just out. <Link to="/campaigns/new">Plan one</Link>, give it a time, and
          what it will bring is here before anybody gives a key.
        </p>
      ) : (
        <Table
          label="Campaigns"
          head={['Campaign', 'When', 'People', 'Expected for each', 'At most a second']}
          right={[2, 4]}
        >
          {page.campaigns.map((one) => (
            <tr key={one.id}>
              <td>
                <Link to={`/campaigns/${one.id}`}>{one.name}</Link>
              </td>
              <td>{one.at === null ? `Not in the sum: ${one.because ?? 'it has no time'}.` : <At at={one.at} />}</td>
              <td className="right">{count(one.people)}</td>
              <td>
                {responseSays(one)}
                <br />
                <span className="secondary">{one.says}</span>
              </td>
              <td className="right">{rate(one.perSecond)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  )
}

const responseSays = (one: Planned) =>
  `${percent(one.sent)} sent, ${percent(one.opened)} open, ${percent(one.clicked)} click, ${one.pages.toLocaleString('en-GB', { maximumFractionDigits: 2 })} events on the site`
