import { Button, Select, TextInput } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { routes as sources } from '../../sources/contract.ts'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { count, plural } from '../../../ui/format.tsx'
import { Fresh } from '../../../ui/freshness.tsx'
import { Ask, Card, Empty, Page, Table } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes, type Pull } from '../contract.ts'
import { ConnectionFields, firstConnection, fromWhere, isComplete } from './ConnectionFields.tsx'

export const touches = ['/api/pulls', '/api/audit']

export function PullsPage() {
  const list = useRoute(routes.list, {}, { everyMs: 5_000 })
  return (
    <Page
      title="Databases that are read"
      crumbs={[{ label: 'Sources', to: '/sources' }, { label: 'Databases' }]}
      sub="A table of an old system or an object of Salesforce, read again and again by its schedule. Only what changed comes in, what is gone is told, and each says how fresh it is."
      {...(list.data === undefined || list.data.length === 0 ? {} : { sentence: sentenceOf(list.data) })}
    >
      <Ask of={list} shape="table">
        {(rows) =>
          rows.length === 0 ? (
            <Empty
              sentence="No database and no Salesforce is read yet."
              example="PostgreSQL, MySQL, MariaDB and Salesforce. Give a user that may only read; what the columns mean is found out, shown, and yours to correct."
            />
          ) : (
            <Card className="list">
              <Table
                label="Databases that are read"
                head={['Name', 'From', 'Into', 'Fresh as of', 'Last run', 'Rows', 'Went in']}
                right={[5, 6]}
              >
                {rows.map((row) => (
                  <tr key={row.id}>
                    <td>
                      <Link to={`/pulls/${row.id}`}>{row.name}</Link>
                    </td>
                    <td>{fromWhere(row.connection, false)}</td>
                    <td>{row.sourceName}</td>
                    <td>
                      <Fresh of={row.freshness} />
                    </td>
                    <td>
                      <RunState pull={row} />
                    </td>
                    <td className="right">{count(row.last?.counts.rows ?? 0)}</td>
                    <td className="right">{count(row.last?.counts.sent ?? 0)}</td>
                  </tr>
                ))}
              </Table>
            </Card>
          )
        }
      </Ask>
      <NewPull />
    </Page>
  )
}

function sentenceOf(rows: readonly Pull[]): string {
  const late = rows.filter((row) => row.freshness.missed)
  const failed = rows.filter((row) => row.last?.state === 'failed')
  const first = late[0]
  if (first !== undefined)
    return `${plural(late.length, 'table is', 'tables are')} older than promised: ${late.map((row) => row.name).join(', ')}.`
  if (failed.length > 0) return `The last run of ${failed.map((row) => row.name).join(', ')} failed; its page says why.`
  return `${plural(rows.length, 'table is', 'tables are')} read, and none is older than promised.`
}

function RunState({ pull }: { pull: Pull }) {
  if (pull.plan === null) return <Mark is="warn">needs a plan</Mark>
  if (pull.paused) return <Mark is="warn">paused</Mark>
  if (pull.last === null) return <span className="secondary">never</span>
  if (pull.last.state === 'failed') return <Mark is="fail">failed</Mark>
  return <>{runWords[pull.last.state]}</>
}

export const runWords = { running: 'being read', done: 'done', failed: 'failed', cancelled: 'stopped' } as const

function NewPull() {
  const list = useRoute(sources.list)
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const [sourceId, setSourceId] = useState<string | null>(null)
  const [wanted, setWanted] = useState(firstConnection)
  const test = useDeed(routes.test, { touches: [] })
  const create = useDeed(routes.create, { touches })
  const complete = isComplete(wanted)
  const make = (event: FormEvent) => {
    event.preventDefault()
    if (sourceId === null) return
    create.mutate(
      { body: { name, sourceId, ...wanted } },
      { onSuccess: (made) => void navigate({ to: `/pulls/${made.id}` }) },
    )
  }
  return (
    <Card title="Connect a database or Salesforce" aside="it is only ever read">
      <form className="stack" onSubmit={make}>
        <div className="fields">
          <TextInput
            label="Name"
            required
            placeholder="Customers of the old shop"
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value)
            }}
          />
          <Select
            label="It belongs to"
            placeholder="A source"
            required
            data={(list.data?.sources ?? [])
              .filter((one) => one.kind !== 'internal')
              .map((one) => ({ value: one.id as string, label: one.name }))}
            value={sourceId}
            onChange={setSourceId}
          />
        </div>
        <ConnectionFields value={wanted} onChange={setWanted} />
        <div className="row">
          <Button
            variant="default"
            disabled={!complete}
            loading={test.isPending}
            onClick={() => {
              test.mutate({ body: { ...wanted.connection, password: wanted.password } })
            }}
          >
            Try it
          </Button>
          <Button
            type="submit"
            disabled={!complete || name.trim() === '' || sourceId === null}
            loading={create.isPending}
          >
            Connect
          </Button>
        </div>
        {test.data === undefined ? null : (
          <p role="status">
            <Mark is={test.data.ok ? 'ok' : 'fail'}>{test.data.says}</Mark>
          </p>
        )}
      </form>
    </Card>
  )
}
