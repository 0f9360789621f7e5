import { Button } from '@mantine/core'
import { useRoute } from '../../../ui/api.ts'
import { Bars, Share } from '../../../ui/chart.tsx'
import { count, money, percent, plural } from '../../../ui/format.tsx'
import { Ask, Card, Page, Table, useParam } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes as accounts } from '../../accounts/contract.ts'
import { routes, type Figure, type Report } from '../contract.ts'

export function ReportPage() {
  const id = useParam('id')
  const me = useRoute(accounts.me)
  const mayExport = me.data?.permissions.includes('campaigns.write') === true
  const found = useRoute(routes.report, { params: { id } }, { everyMs: 5_000 })
  return (
    <Ask of={found} shape="page">
      {(report) => (
        <Page
          title={report.name}
          tabTitle={`Report: ${report.name}`}
          crumbs={[
            { label: 'Reports', to: '/reports' },
            { label: report.name, to: `/campaigns/${report.broadcastId}` },
          ]}
          sentence={sentenceOf(report)}
          actions={
            mayExport ? (
              <Button
                component="a"
                href={`/api/insights/broadcasts/${report.broadcastId}/people.csv`}
                variant="default"
                download
                title="Addresses and what each person did. The audit log says who took it."
              >
                Export as CSV
              </Button>
            ) : (
              <Button
                variant="default"
                disabled
                title="It holds addresses and what each person did, so it takes the right to work on campaigns."
              >
                Export as CSV
              </Button>
            )
          }
        >
          <Card title="What came back" aside="each number says how it is counted">
            <Table label="Figures" head={['Figure', 'Number', 'Share', 'How it is counted']} right={[1]}>
              {report.figures.map((figure) => (
                <tr key={figure.key}>
                  <td>
                    <b>{figure.label}</b>
                  </td>
                  <td className="right">{valueOf(figure)}</td>
                  <td style={{ whiteSpace: 'nowrap' }}>
                    {figure.of === null ? null : (
                      <>
                        <Share share={figure.of.share} /> {percent(figure.of.share)}{' '}
                        <span className="secondary">{figure.of.label}</span>
                      </>
                    )}
                  </td>
                  <td>
                    <span className="secondary">{figure.means}</span>
                  </td>
                </tr>
              ))}
            </Table>
          </Card>
          <Card
            title="What became of each message"
            aside={
              report.unaccounted === 0 ? (
                <Mark is="ok">audience = sum of all, nothing unaccounted</Mark>
              ) : (
                <Mark is="fail">{count(report.unaccounted)} unaccounted</Mark>
              )
            }
          >
            <Table label="Ledger" head={['State', 'Messages', 'Means']} right={[1]}>
              {report.ledger.map((row) => (
                <tr key={row.state}>
                  <td>
                    <b>{row.label}</b>
                  </td>
                  <td className="right">{count(row.count)}</td>
                  <td>
                    <span className="secondary">{row.means}</span>
                  </td>
                </tr>
              ))}
            </Table>
          </Card>
          {report.hours.length === 0 && report.audience === 0 ? null : (
            <div className="cards">
              <Card>
                <Bars label="Opened, hour by hour after the first mail" unit="opens" bars={hoursOf(report, 'opened')} />
              </Card>
              <Card>
                <Bars
                  label="Clicked, hour by hour after the first mail"
                  unit="clicks"
                  bars={hoursOf(report, 'clicked')}
                />
              </Card>
            </div>
          )}
          {report.links.length === 0 ? null : (
            <Card title="Links">
              <Table label="Links" head={['Link', 'People', 'Clicks']} right={[1, 2]}>
                {report.links.map((row) => (
                  <tr key={row.link}>
                    <td>
                      <code>{row.link}</code>
                    </td>
                    <td className="right">{count(row.people)}</td>
                    <td className="right">{count(row.clicks)}</td>
                  </tr>
                ))}
              </Table>
            </Card>
          )}
        </Page>
      )}
    </Ask>
  )
}

/** At least the first day, hour by hour, with the hours in which nothing came. */
function hoursOf(report: Report, what: 'opened' | 'clicked') {
  const by = new Map(report.hours.map((row) => [row.hour, row[what]]))
  const many = Math.max(24, ...report.hours.map((row) => row.hour + 1))
  return Array.from({ length: many }, (_none, hour) => ({
    label: `hour ${String(hour + 1)}`,
    value: by.get(hour) ?? 0,
  }))
}
function valueOf(figure: Figure): string {
  return figure.unit === 'money' && figure.currency !== null
    ? money(figure.value, figure.currency)
    : count(figure.value)
}
function sentenceOf(report: Report): string {
  const value = (key: string) => report.figures.find((figure) => figure.key === key)?.value ?? 0
  if (value('accepted') === 0) return report.sentence
  return `${plural(value('accepted'), 'mail was', 'mails were')} accepted; ${plural(value('opened'), 'person', 'people')} opened, ${count(value('clicked'))} clicked, ${count(value('unsubscribed'))} unsubscribed, and ${plural(value('ordered'), 'order', 'orders')} came within ${String(report.windowDays)} days.`
}
