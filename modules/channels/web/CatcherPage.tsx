import { Link } from '@tanstack/react-router'
import { Pager, SearchField, useAddress } from '../../../ui/address.tsx'
import { useRoute } from '../../../ui/api.ts'
import { Ago, plural } from '../../../ui/format.tsx'
import { List, rowsOf, type Column } from '../../../ui/list.tsx'
import { Page } from '../../../ui/page.tsx'
import { routes, type CaughtMail } from '../contract.ts'

const columns: readonly Column<CaughtMail>[] = [
  {
    head: 'Subject',
    cell: (mail) => (
      <Link to={`/mail-catcher/${String(mail.id)}`}>{mail.subject === '' ? '(no subject)' : mail.subject}</Link>
    ),
  },
  { head: 'To', cell: (mail) => mail.to },
  { head: 'From', cell: (mail) => mail.from },
  { head: 'Arrived', cell: (mail) => <Ago at={mail.at} /> },
]

export function CatcherPage() {
  const [{ q = '', before }] = useAddress()
  const route = useRoute(routes.route)
  const list = useRoute(
    routes.inbox,
    { query: { search: q, ...(before === undefined ? {} : { before }) } },
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
        : { sentence: `${plural(list.data.total, 'mail', 'mails')}${q === '' ? ' here' : ` for “${q}”`}.` })}
    >
      <SearchField label="Search mails" placeholder="Recipient or subject" />
      <List
        label="Mails"
        of={rowsOf(list, (reply) => reply.mails)}
        columns={columns}
        empty={{
          sentence: q === '' ? 'No mail was caught yet.' : 'No mail is like this.',
          example:
            'Send a test of a mail, or let a broadcast go; it arrives here over SMTP, exactly as a mailbox would get it.',
          action: <Link to="/campaigns">To the campaigns</Link>,
        }}
      />
      <Pager word="before" next={list.data?.next} />
    </Page>
  )
}
