import { Button, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useRoute } from '../../../ui/api.ts'
import { Ago, plural } from '../../../ui/format.tsx'
import { Ask, Card, Empty, Page, Table } from '../../../ui/page.tsx'
import { routes } from '../contract.ts'

export function CatcherPage() {
  const [search, setSearch] = useState('')
  const [sought] = useDebouncedValue(search, 250)
  const [before, setBefore] = useState<number | undefined>()
  const route = useRoute(routes.route)
  const list = useRoute(
    routes.inbox,
    { query: { search: sought, ...(before === undefined ? {} : { before }) } },
    { keep: true, everyMs: 5_000 },
  )
  return (
    <Page
      title="Mail catcher"
      sub={
        route.data?.kind === 'smtp'
          ? `Mail leaves through ${route.data.host}, so nothing new is caught here.`
          : 'A real mail server that keeps every mail and sends none on: to try everything out without writing to anybody.'
      }
      {...(list.data === undefined
        ? {}
        : { sentence: `${plural(list.data.total, 'mail', 'mails')}${sought === '' ? ' here' : ` for “${sought}”`}.` })}
    >
      <TextInput
        aria-label="Search mails"
        placeholder="Recipient or subject"
        value={search}
        onChange={(event) => {
          setSearch(event.currentTarget.value)
          setBefore(undefined)
        }}
      />
      <Ask of={list}>
        {({ mails, next }) =>
          mails.length === 0 ? (
            <Empty
              sentence={sought === '' ? 'No mail was caught yet.' : 'No mail is like this.'}
              example="Send a test of a mail, or let a broadcast go; it arrives here over SMTP, exactly as a mailbox would get it."
              action={<Link to="/campaigns">To the campaigns</Link>}
            />
          ) : (
            <>
              <Card className="list">
                <Table label="Mails" head={['Subject', 'To', 'From', 'Arrived']}>
                  {mails.map((mail) => (
                    <tr key={mail.id}>
                      <td>
                        <Link to={`/mail-catcher/${String(mail.id)}`}>
                          {mail.subject === '' ? '(no subject)' : mail.subject}
                        </Link>
                      </td>
                      <td>{mail.to}</td>
                      <td>{mail.from}</td>
                      <td>
                        <Ago at={mail.at} />
                      </td>
                    </tr>
                  ))}
                </Table>
              </Card>
              <div className="row">
                {before === undefined ? null : (
                  <Button
                    variant="default"
                    onClick={() => {
                      setBefore(undefined)
                    }}
                  >
                    Newest
                  </Button>
                )}
                {next === null ? null : (
                  <Button
                    variant="default"
                    onClick={() => {
                      setBefore(next)
                    }}
                  >
                    Older
                  </Button>
                )}
              </div>
            </>
          )
        }
      </Ask>
    </Page>
  )
}
