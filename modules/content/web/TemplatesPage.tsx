import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useRoute } from '../../../ui/api.ts'
import { Ago } from '../../../ui/format.tsx'
import { Ask, Card, Empty, Page, Table } from '../../../ui/page.tsx'
import { FieldChip } from '../../../ui/signal.tsx'
import { labelOf, sensitivityOf } from '../../../lib/sensitivity/sensitivity.ts'
import { routes } from '../contract.ts'

export function TemplatesPage() {
  const list = useRoute(routes.list)
  return (
    <Page
      title="Content"
      sub="Mails: written once, seen as a real person would get them, and compiled before anybody signs."
      actions={
        <Button component={Link} to="/content/new">
          Write a mail
        </Button>
      }
    >
      <Ask of={list}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty
              sentence="No mail was written yet."
              example='A mail is simple blocks (heading, text, button) or MJML; both may hold {{ person.firstName | default: "friend" }}.'
              action={<Link to="/content/new">Write the first</Link>}
            />
          ) : (
            <Card className="list">
              <Table label="Templates" head={['Mail', 'Subject', 'Uses', 'Version', 'Changed']}>
                {rows.map((row) => (
                  <tr key={row.id}>
                    <td>
                      <Link to={`/content/${row.id}`}>{row.name}</Link>
                    </td>
                    <td>{row.body.subject}</td>
                    <td>
                      {row.fields.length === 0 ? (
                        <span className="secondary">no personal field</span>
                      ) : (
                        row.fields.map((field) => (
                          <FieldChip key={field} label={labelOf(field)} sensitivity={sensitivityOf(field)} />
                        ))
                      )}
                    </td>
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
    </Page>
  )
}
