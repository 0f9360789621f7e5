import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useRoute } from '../../../ui/api.ts'
import { Ago, plural } from '../../../ui/format.tsx'
import { List, type Column } from '../../../ui/list.tsx'
import { Page } from '../../../ui/page.tsx'
import { routes, type Segment } from '../contract.ts'

const columns: readonly Column<Segment>[] = [
  {
    head: 'Segment',
    cell: (row) => (
      <>
        <Link to={`/segments/${row.id}`}>{row.name}</Link>
        {row.archived ? <span className="secondary"> put away</span> : null}
      </>
    ),
  },
  { head: 'Says', cell: (row) => row.says },
  { head: 'Version', cell: (row) => row.version },
  {
    head: 'Changed',
    cell: (row) => (
      <>
        <Ago at={row.changedAt} /> <span className="secondary">by {row.changedBy}</span>
      </>
    ),
  },
]

export function SegmentsPage() {
  const list = useRoute(routes.list)
  return (
    <Page
      title="Segments"
      sub="A segment is a sentence about people; who is in it is counted when it is asked for."
      {...(list.data === undefined ? {} : { sentence: `${plural(list.data.length, 'segment', 'segments')}.` })}
      actions={
        <Button component={Link} to="/segments/new">
          Make a segment
        </Button>
      }
    >
      <List
        label="Segments"
        of={list}
        columns={columns}
        empty={{
          sentence: 'There is no segment yet.',
          example: '“People who did “Order Completed” in the last 60 days and whose country is “SE”.”',
          action: <Link to="/segments/new">Make the first</Link>,
        }}
      />
    </Page>
  )
}
