import { Link } from '@tanstack/react-router'
import { useRoute } from '../../../ui/api.ts'
import { Ago, count, percent, plural } from '../../../ui/format.tsx'
import { List, type Column } from '../../../ui/list.tsx'
import { Page } from '../../../ui/page.tsx'
import { routes, type ReportRow } from '../contract.ts'

const columns: readonly Column<ReportRow>[] = [
  { head: 'Broadcast', cell: (row) => <Link to={`/campaigns/${row.id}/report`}>{row.name}</Link> },
  { head: 'Went out', cell: (row) => <Ago at={row.launchedAt} /> },
  { head: 'Accepted', right: true, cell: (row) => `${count(row.accepted)} of ${count(row.audience)}` },
  { head: 'Opened', right: true, cell: (row) => share(row.opened, row.accepted) },
  { head: 'Clicked', right: true, cell: (row) => share(row.clicked, row.accepted) },
  { head: 'Unsubscribed', right: true, cell: (row) => share(row.unsubscribed, row.accepted) },
]

/** Every broadcast that went out, with what came back; the report of each says how it is counted. */
export function ReportsPage() {
  const list = useRoute(routes.reports, {}, { everyMs: 15_000 })
  return (
    <Page
      title="Reports"
      sub="What came back from each broadcast that went out. Machines are left out; each report says how its figures are counted."
      {...(list.data === undefined || list.data.length === 0 ? {} : { sentence: sentenceOf(list.data) })}
    >
      <List
        label="Reports"
        of={list}
        columns={columns}
        empty={{
          sentence: 'Nothing went out yet, so nothing came back.',
          example:
            '“303 mails were accepted; 120 people opened, 31 clicked, 2 unsubscribed, and 9 orders came within 7 days.”',
          action: <Link to="/campaigns">To the campaigns</Link>,
        }}
      />
    </Page>
  )
}

const share = (value: number, of: number) => (
  <>
    {count(value)}
    {of === 0 ? null : <span className="secondary"> {percent(value / of)}</span>}
  </>
)

function sentenceOf(rows: readonly ReportRow[]): string {
  const sum = (key: 'accepted' | 'clicked' | 'unsubscribed') => rows.reduce((total, row) => total + row[key], 0)
  return `${plural(rows.length, 'broadcast', 'broadcasts')} went out: ${plural(sum('accepted'), 'mail was', 'mails were')} accepted, ${count(sum('clicked'))} clicked, ${count(sum('unsubscribed'))} unsubscribed.`
}
