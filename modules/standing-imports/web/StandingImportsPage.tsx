import { Button, Select, TextInput } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { routes as sources } from '../../sources/contract.ts'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, plural } from '../../../ui/format.tsx'
import { Fresh } from '../../../ui/freshness.tsx'
import { Ask, Card, Empty, Page, Table } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes, type Standing } from '../contract.ts'
import { firstPlace, isComplete, PlaceFields } from './PlaceFields.tsx'

export const touches = ['/api/standing-imports', '/api/imports', '/api/audit']

export function StandingImportsPage() {
  const list = useRoute(routes.list, {}, { everyMs: 5_000 })
  const rows = list.data?.standing ?? []
  return (
    <Page
      title="Files that come by themselves"
      crumbs={[{ label: 'Sources', to: '/sources' }, { label: 'Imports', to: '/imports' }, { label: 'By themselves' }]}
      sub="Exports that an old system writes into a folder or offers under an address, again and again. Each file is taken once and read as the one before; what changed is asked, and each says how fresh it is."
      {...(rows.length === 0 ? {} : { sentence: sentenceOf(rows) })}
    >
      <Ask of={list} shape="table">
        {({ standing, folders }) => (
          <>
            {standing.length === 0 ? (
              <Empty
                sentence="No file comes by itself yet."
                example="A CRM that writes customers-2026-11-25.csv every night, or a shop that offers its list under an address. The first file asks what its columns mean; those like it are read without asking."
              />
            ) : (
              <Card className="list">
                <Table
                  label="Files that come by themselves"
                  head={['Name', 'From', 'Into', 'Fresh as of', 'Stands', 'Last file']}
                >
                  {standing.map((row) => (
                    <tr key={row.id}>
                      <td>
                        <Link to={`/standing-imports/${row.id}`}>{row.name}</Link>
                      </td>
                      <td>{fromOf(row.place)}</td>
                      <td>{row.sourceName}</td>
                      <td>
                        <Fresh of={row.freshness} />
                      </td>
                      <td>
                        <Stands row={row} />
                      </td>
                      <td>
                        {row.last === null ? (
                          <span className="secondary">none yet</span>
                        ) : (
                          <>
                            {row.last.fileName}, <Ago at={row.last.takenAt} />
                          </>
                        )}
                      </td>
                    </tr>
                  ))}
                </Table>
              </Card>
            )}
            <NewStanding folders={folders} />
          </>
        )}
      </Ask>
    </Page>
  )
}

export const fromOf = (place: Standing['place']) =>
  place.kind === 'folder' ? `${place.pattern} in ${place.folder}` : new URL(place.url).host

/** Whether somebody has to do something about it. */
export const waits = ({ last }: Standing) =>
  last?.state === 'open' &&
  (last.importState === 'failed' ||
    (last.asks !== null && (last.importState === 'uploaded' || last.importState === 'checked')))

function sentenceOf(rows: readonly Standing[]): string {
  const late = rows.filter((row) => row.freshness.missed)
  const asking = rows.filter(waits)
  const failed = rows.filter((row) => row.look.failed)
  const names = (some: readonly Standing[]) => some.map((row) => row.name).join(', ')
  if (asking.length > 0) return `${names(asking)} ${asking.length === 1 ? 'waits' : 'wait'} for an answer.`
  if (late.length > 0)
    return `${plural(late.length, 'standing import is', 'standing imports are')} older than promised: ${names(late)}.`
  if (failed.length > 0) return `The last look of ${names(failed)} failed; its page says why.`
  return `${plural(rows.length, 'standing import', 'standing imports')}, and none is older than promised.`
}

function Stands({ row }: { row: Standing }) {
  if (waits(row)) return <Mark is="warn">asks something</Mark>
  if (row.look.failed) return <Mark is="fail">the last look failed</Mark>
  if (row.paused) return <Mark is="warn">paused</Mark>
  if (row.coming !== null) return <>a file comes in</>
  if (row.last?.state === 'open') return <>being read</>
  if (row.last?.state === 'refused') return <Mark is="fail">the last file is no table</Mark>
  if (row.look.at === null) return <span className="secondary">never looked</span>
  return <Mark is="ok">as it should</Mark>
}

function NewStanding({ folders }: { folders: readonly string[] }) {
  const list = useRoute(sources.list)
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const [sourceId, setSourceId] = useState<string | null>(null)
  const [wanted, setWanted] = useState(() => firstPlace(folders))
  const create = useDeed(routes.create, { touches })
  const make = (event: FormEvent) => {
    event.preventDefault()
    if (sourceId === null) return
    create.mutate(
      {
        body: {
          name,
          sourceId,
          place: wanted.place,
          ...(wanted.secret === '' ? {} : { secret: wanted.secret }),
        },
      },
      { onSuccess: (made) => void navigate({ to: `/standing-imports/${made.id}` }) },
    )
  }
  return (
    <Card title="Let files come by themselves" aside="nothing is read before you said what it means">
      <form className="stack" onSubmit={make}>
        <div className="fields">
          <TextInput
            label="Name"
            required
            placeholder="Customers, every night"
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
        <PlaceFields value={wanted} folders={folders} onChange={setWanted} />
        <div className="row">
          <Button
            type="submit"
            disabled={!isComplete(wanted) || name.trim() === '' || sourceId === null}
            loading={create.isPending}
          >
            Add it
          </Button>
        </div>
      </form>
    </Card>
  )
}
