import { Link } from '@tanstack/react-router'
import { useRoute } from '../../../ui/api.ts'
import { Ago, plural, Timed } from '../../../ui/format.tsx'
import { Ask, Card, Empty, Page, Table } from '../../../ui/page.tsx'
import { Lamp } from '../../../ui/signal.tsx'
import { routes, type RequestRow } from '../contract.ts'

const waiting: Record<string, string> = { marketing: 'Marketing', it: 'IT', protection: 'data protection' }

export function RequestsPage() {
  const list = useRoute(routes.list, {}, { everyMs: 20_000 })
  const open = (list.data ?? []).filter((row) => row.state === 'waiting' || row.state === 'ready')
  const rest = (list.data ?? []).filter((row) => !open.includes(row))
  const mine = open.filter((row) => row.yourTurn).length
  return (
    <Page
      title="Requests"
      sub="Whatever goes live stands here: what it does, which keys it needs and why, and for whom it waits."
      {...(list.data === undefined
        ? {}
        : {
            sentence:
              open.length === 0
                ? 'Nothing waits for an agreement.'
                : `${plural(open.length, 'request is', 'requests are')} open; ${mine === 0 ? 'none of them waits for you' : `${plural(mine, 'waits', 'wait')} for you`}.`,
          })}
    >
      <Ask of={list} shape="table">
        {(rows) =>
          rows.length === 0 ? (
            <Empty
              sentence="Nobody has asked for anything yet."
              example="A campaign manager makes a broadcast and asks; Interlock computes how risky it is; the keys that this needs are given here, and then it goes at once."
              action={<Link to="/campaigns">To the campaigns</Link>}
            />
          ) : (
            <>
              {open.length === 0 ? null : <Rows title="Open" rows={open} />}
              {rest.length === 0 ? null : <Rows title="Decided" rows={rest} />}
            </>
          )
        }
      </Ask>
    </Page>
  )
}

function Rows({ title, rows }: { title: string; rows: readonly RequestRow[] }) {
  return (
    <Card title={title}>
      <Table label={title} head={['Lane', 'Request', 'Waits for', 'Asked by', 'Since']}>
        {rows.map((row) => (
          <tr key={row.id}>
            <td>
              <Lamp lane={row.lane} needs={row.needs} />
            </td>
            <td>
              <Link to={`/requests/${row.id}`}>{row.title}</Link>
              {row.yourTurn ? <b> · your turn</b> : null}
              <br />
              <span className="secondary">
                <Timed text={row.sentence} />
              </span>
            </td>
            <td>
              {row.waitingFor.length === 0 ? (
                <span className="secondary">{row.stands}</span>
              ) : (
                row.waitingFor.map((kind) => waiting[kind]).join(', ')
              )}
            </td>
            <td>{row.requester.name}</td>
            <td>
              <Ago at={row.openedAt} />
            </td>
          </tr>
        ))}
      </Table>
    </Card>
  )
}
