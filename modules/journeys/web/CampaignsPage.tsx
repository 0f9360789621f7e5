import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useRoute } from '../../../ui/api.ts'
import { Ago, count, Timed } from '../../../ui/format.tsx'
import { List, type Column } from '../../../ui/list.tsx'
import { Page } from '../../../ui/page.tsx'
import { routes, type Broadcast } from '../contract.ts'

const columns: readonly Column<Broadcast>[] = [
  {
    head: 'Broadcast',
    cell: (row) => (
      <>
        <Link to={`/campaigns/${row.id}`}>{row.name}</Link>
        <br />
        <span className="secondary">{row.template.name}</span>
      </>
    ),
  },
  { head: 'To', cell: (row) => row.segment.name },
  { head: 'Stands', cell: (row) => <Timed text={row.sentence} /> },
  {
    head: 'Accepted',
    right: true,
    cell: (row) => (row.audience === null ? '–' : `${count(row.counts.accepted ?? 0)} of ${count(row.audience)}`),
  },
  { head: 'Changed', cell: (row) => <Ago at={row.changedAt} /> },
]

export function CampaignsPage() {
  const list = useRoute(routes.list, {}, { everyMs: 5_000 })
  return (
    <Page
      title="Campaigns"
      sub="One mail to one audience at one time. It leaves when its keys are on exactly it, and not before."
      actions={
        <Button component={Link} to="/campaigns/new">
          Make a broadcast
        </Button>
      }
    >
      <List
        label="Broadcasts"
        of={list}
        columns={columns}
        empty={{
          sentence: 'There is no broadcast yet.',
          example:
            'Choose a segment, a mail and a time; then ask. What it needs is computed, and the page says for whom it waits.',
          action: <Link to="/campaigns/new">Make the first</Link>,
        }}
      />
    </Page>
  )
}
