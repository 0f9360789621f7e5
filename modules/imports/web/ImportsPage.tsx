import { Button, FileInput, Select } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { routes as sources } from '../../sources/contract.ts'
import { Problem, useRoute } from '../../../ui/api.ts'
import { Ago, count } from '../../../ui/format.tsx'
import { Ask, Card, Empty, Page, ProblemNote, Table } from '../../../ui/page.tsx'
import { routes, type Import } from '../contract.ts'

export function ImportsPage() {
  const list = useRoute(routes.list, {}, { everyMs: 5_000 })
  return (
    <Page
      title="Imports"
      crumbs={[{ label: 'Sources', to: '/sources' }, { label: 'Imports' }]}
      sub="A CRM export or a list as CSV, Excel, Parquet, JSON lines or text of fixed width, also packed with gzip. How it is written and what its columns mean is found out, shown, and yours to correct; nothing is stored before you say so."
    >
      <Upload />
      <p>
        An export that comes again and again needs no hands:{' '}
        <Link to="/standing-imports">let files come by themselves</Link>.
      </p>
      <Ask of={list}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty
              sentence="No file was read in yet."
              example="CSV with any separator and any of the usual encodings, Excel, Parquet, JSON lines, fixed width. A broken line costs that line and no other; the same file again stores nothing twice."
            />
          ) : (
            <Card className="list">
              <Table
                label="Imports"
                head={['File', 'Source', 'Stands', 'Rows', 'Went in', 'Unchanged', 'Put aside', 'Rejected', 'When']}
                right={[3, 4, 5, 6, 7]}
              >
                {rows.map((row) => (
                  <tr key={row.id}>
                    <td>
                      <Link to={`/imports/${row.id}`}>{row.fileName}</Link>
                    </td>
                    <td>{row.sourceName}</td>
                    <td>{stateWords[row.state]}</td>
                    <td className="right">{count(row.counts?.rows ?? 0)}</td>
                    <td className="right">
                      {wasRead(row) ? count(row.counts?.sent ?? 0) : <span className="secondary">nothing yet</span>}
                    </td>
                    <td className="right">{count(row.counts?.unchanged ?? 0)}</td>
                    <td className="right">{count(row.counts?.quarantined ?? 0)}</td>
                    <td className="right">{count(row.counts?.rejected ?? 0)}</td>
                    <td>
                      <Ago at={row.createdAt} />
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

/** Whether its counts are of what went in, and not of a dry run. */
const wasRead = ({ state }: Import) =>
  state === 'running' || state === 'done' || state === 'cancelled' || state === 'failed'

export const stateWords: Record<Import['state'], string> = {
  uploaded: 'handed in',
  checking: 'being tried dry',
  checked: 'tried dry',
  running: 'being read',
  done: 'done',
  cancelled: 'stopped',
  failed: 'failed',
}

function Upload() {
  const search: { source?: string } = useSearch({ strict: false })
  const list = useRoute(sources.list)
  const navigate = useNavigate()
  const client = useQueryClient()
  const [sourceId, setSourceId] = useState<string | null>(search.source ?? null)
  const [file, setFile] = useState<File | null>(null)
  const [share, setShare] = useState<number | undefined>()
  const [problem, setProblem] = useState<Problem | undefined>()
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (file === null || sourceId === null) return
    setProblem(undefined)
    // A plain request, because only this one tells how far the upload is.
    const request = new XMLHttpRequest()
    request.open('POST', `${routes.upload.path}?${new URLSearchParams({ sourceId, fileName: file.name }).toString()}`)
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.setRequestHeader('x-interlock', '1')
    request.upload.addEventListener('progress', (progress) => {
      setShare(progress.total === 0 ? 0 : progress.loaded / progress.total)
    })
    request.addEventListener('error', () => {
      setShare(undefined)
      setProblem(
        new Problem(0, { detail: 'The file did not arrive.', passes: 'Check the connection and hand it in again.' }),
      )
    })
    request.addEventListener('load', () => {
      setShare(undefined)
      const answer = JSON.parse(request.responseText) as Import & { detail?: string; passes?: string }
      if (request.status >= 400) setProblem(new Problem(request.status, answer))
      else {
        void client.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[0]).startsWith('/api/imports') })
        void navigate({ to: `/imports/${answer.id}` })
      }
    })
    request.send(file)
  }
  return (
    <Card title="Hand in a file">
      <form className="row end" onSubmit={send}>
        <Select
          className="grow"
          label="It belongs to"
          placeholder="A source"
          required
          data={(list.data?.sources ?? [])
            .filter((one) => one.kind !== 'internal')
            .map((one) => ({ value: one.id as string, label: one.name }))}
          value={sourceId}
          onChange={setSourceId}
        />
        <FileInput
          className="grow"
          label="File"
          placeholder="Choose a file"
          accept=".csv,.tsv,.txt,.dat,.json,.jsonl,.ndjson,.xlsx,.parquet,.gz,text/csv"
          required
          value={file}
          onChange={setFile}
        />
        <Button type="submit" disabled={file === null || sourceId === null} loading={share !== undefined}>
          Look at it
        </Button>
      </form>
      {share === undefined ? null : (
        <p className="secondary" role="status">
          {Math.round(share * 100)}% is here.
        </p>
      )}
      {problem === undefined ? null : <ProblemNote problem={problem} />}
    </Card>
  )
}
