import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useRoute } from '../../../ui/api.ts'
import { Ago, count } from '../../../ui/format.tsx'
import { Ask, Card, Empty, Page, Table } from '../../../ui/page.tsx'
import { routes } from '../contract.ts'

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
      <Ask of={list}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty
              sentence="There is no broadcast yet."
              example="Choose a segment, a mail and a time; then ask. What it needs is computed, and the page says for whom it waits."
              action={<Link to="/campaigns/new">Make the first</Link>}
            />
          ) : (
            <Card className="list">
              <Table label="Broadcasts" head={['Broadcast', 'To', 'Stands', 'Accepted', 'Changed']} right={[3]}>
                {rows.map((row) => (
                  <tr key={row.id}>
                    <td>
                      <Link to={`/campaigns/${row.id}`}>{row.name}</Link>
                      <br />
                      <span className="secondary">{row.template.name}</span>
                    </td>
                    <td>{row.segment.name}</td>
                    <td>{row.sentence}</td>
                    <td className="right">
                      {row.audience === null ? '–' : `${count(row.counts.accepted ?? 0)} of ${count(row.audience)}`}
                    </td>
                    <td>
                      <Ago at={row.changedAt} />
                    </td>
                  </tr>
                ))}
              </Table>
            </Card>
          )
        }
      </Ask>
    </Page>
  )
}
