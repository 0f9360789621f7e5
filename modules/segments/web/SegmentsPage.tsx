import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useRoute } from '../../../ui/api.ts'
import { Ago, plural } from '../../../ui/format.tsx'
import { Ask, Card, Empty, Page, Table } from '../../../ui/page.tsx'
import { routes } from '../contract.ts'

export function SegmentsPage() {
  const list = useRoute(routes.list)
  return (
    <Page
      title="Segments"
      sub="A segment is a sentence about people; who is in it is counted when it is asked for."
      actions={
        <Button component={Link} to="/segments/new">
          Make a segment
        </Button>
      }
    >
      <Ask of={list}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty
              sentence="There is no segment yet."
              example="“People who did “Order Completed” in the last 60 days and whose country is “SE”.”"
              action={<Link to="/segments/new">Make the first</Link>}
            />
          ) : (
            <Card className="list">
              <Table label="Segments" head={['Segment', 'Says', 'Version', 'Changed']}>
                {rows.map((row) => (
                  <tr key={row.id}>
                    <td>
                      <Link to={`/segments/${row.id}`}>{row.name}</Link>
                      {row.archived ? <span className="secondary"> put away</span> : null}
                    </td>
                    <td>{row.says}</td>
                    <td>{row.version}</td>
                    <td>
                      <Ago at={row.changedAt} /> <span className="secondary">by {row.changedBy}</span>
                    </td>
                  </tr>
                ))}
              </Table>
            </Card>
          )
        }
      </Ask>
      {list.data === undefined ? null : <p className="secondary">{plural(list.data.length, 'segment', 'segments')}.</p>}
    </Page>
  )
}
