import { Link } from '@tanstack/react-router'
import { Pager, SearchField, useAddress } from '../../../ui/address.tsx'
import { useRoute } from '../../../ui/api.ts'
import { Ago, calledOf, plural } from '../../../ui/format.tsx'
import { List, rowsOf, type Column } from '../../../ui/list.tsx'
import { Page } from '../../../ui/page.tsx'
import { routes, type PersonRow } from '../contract.ts'

const none = <span className="secondary">–</span>

const columns: readonly Column<PersonRow>[] = [
  { head: 'Name', cell: (row) => <Link to={`/people/${row.id}`}>{calledOf(row)}</Link> },
  { head: 'E-mail', cell: (row) => row.email ?? none },
  { head: 'Telephone', cell: (row) => row.phone ?? none },
  { head: 'Country', cell: (row) => row.country ?? none },
  { head: 'Last seen', cell: (row) => <Ago at={row.lastSeenAt} /> },
]

export function PeoplePage() {
  const [{ q = '', after }] = useAddress()
  const list = useRoute(
    routes.list,
    { query: { search: q, ...(after === undefined ? {} : { after }) } },
    { keep: true },
  )
  return (
    <Page
      title="People"
      sub="One person over all sources. Each says how we know."
      {...(list.data === undefined
        ? {}
        : {
            sentence:
              q === ''
                ? `${plural(list.data.total, 'person is', 'people are')} known.`
                : `${plural(list.data.total, 'person fits', 'people fit')} “${q}”.`,
          })}
    >
      <SearchField label="Search people" placeholder="Name, e-mail, telephone or any identifier" />
      <List
        label="People"
        of={rowsOf(list, (reply) => reply.people)}
        columns={columns}
        empty={{
          sentence: q === '' ? 'Nobody is known yet.' : 'Nobody is like this.',
          example: 'People come from events with a userId or anonymousId, and from imported files.',
          action: <Link to="/sources">To the sources</Link>,
        }}
      />
      <Pager word="after" next={list.data?.next} />
    </Page>
  )
}
