import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useRoute } from '../../../ui/api.ts'
import { Ago, plural } from '../../../ui/format.tsx'
import { List, type Column } from '../../../ui/list.tsx'
import { Page } from '../../../ui/page.tsx'
import { FieldChip } from '../../../ui/signal.tsx'
import { labelOf, sensitivityOf } from '../../../lib/sensitivity/sensitivity.ts'
import { routes, type Template } from '../contract.ts'

const columns: readonly Column<Template>[] = [
  { head: 'Mail', cell: (row) => <Link to={`/content/${row.id}`}>{row.name}</Link> },
  { head: 'Subject', cell: (row) => row.body.subject },
  {
    head: 'Uses',
    cell: (row) =>
      row.fields.length === 0 ? (
        <span className="secondary">no personal field</span>
      ) : (
        row.fields.map((field) => <FieldChip key={field} label={labelOf(field)} sensitivity={sensitivityOf(field)} />)
      ),
  },
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

export function TemplatesPage() {
  const list = useRoute(routes.list)
  return (
    <Page
      title="Content"
      sub="Mails: written once, seen as a real person would get them, and compiled before anybody signs."
      {...(list.data === undefined ? {} : { sentence: `${plural(list.data.length, 'mail', 'mails')}.` })}
      actions={
        <Button component={Link} to="/content/new">
          Write a mail
        </Button>
      }
    >
      <List
        label="Templates"
        of={list}
        columns={columns}
        empty={{
          sentence: 'No mail was written yet.',
          example:
            'A mail is simple blocks (heading, text, button) or MJML; both may hold {{ person.firstName | default: "friend" }}.',
          action: <Link to="/content/new">Write the first</Link>,
        }}
      />
    </Page>
  )
}
