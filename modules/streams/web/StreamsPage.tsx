import { Link } from '@tanstack/react-router'
import { useRoute } from '../../../ui/api.ts'
import { Ago, count, plural } from '../../../ui/format.tsx'
import { Ask, Card, Empty, Facts, Page, Table } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes, type Run, type Stream } from '../contract.ts'

export const touches = ['/api/streams', '/api/audit']

export function StreamsPage() {
  const list = useRoute(routes.list, {}, { everyMs: 5_000 })
  const runs = useRoute(routes.runs, {}, { everyMs: 5_000 })
  return (
    <Page
      title="Streams of taps and connectors"
      crumbs={[{ label: 'Sources', to: '/sources' }, { label: 'Streams' }]}
      sub="Singer taps and Airbyte sources read hundreds of systems and write lines. What they write comes in once, and their state is kept only when it is in."
      {...(list.data === undefined || list.data.length === 0
        ? {}
        : { sentence: sentenceOf(list.data, runs.data ?? []) })}
    >
      <Ask of={list} shape="table">
        {(rows) =>
          rows.length === 0 ? (
            <Empty
              sentence="No tap or connector has written yet."
              example="Run one on the machine of this server and lead its output here, as below. What its properties mean is found out, shown, and yours to correct."
            />
          ) : (
            <Card title="Streams" aside="records that are there now, by the last word on each">
              <Table label="Streams" head={['Stream', 'Source', 'Known by', 'Whose it is', 'Records']} right={[4]}>
                {rows.map((row) => (
                  <tr key={row.id}>
                    <td>
                      <Link to={`/streams/${row.id}`}>{row.name}</Link>
                    </td>
                    <td>{row.sourceName}</td>
                    <td>{row.key.join(', ')}</td>
                    <td>
                      <Whose stream={row} />
                    </td>
                    <td className="right">{count(row.records)}</td>
                  </tr>
                ))}
              </Table>
            </Card>
          )
        }
      </Ask>
      <Ask of={runs} shape="table">
        {(rows) => (rows.length === 0 ? null : <Runs rows={rows} />)}
      </Ask>
      <Card title="Lead a tap here" aside="on the machine of this server">
        <pre>
          <code>
            {`tap-something --config tap.json --state state.json \\
  | npx interlock ingest "Old CRM" --state state.json`}
          </code>
        </pre>
        <p className="secondary">
          The first time there is no state file: leave <code>--state state.json</code> of the tap out. For an Airbyte
          source add <code>--catalog catalog.json</code>, so that its keys and types are known.
        </p>
      </Card>
    </Page>
  )
}

function sentenceOf(rows: readonly Stream[], runs: readonly Run[]): string {
  const open = rows.filter((row) => asks(row))
  const [last] = runs
  if (open.length > 0)
    return `Nothing says whose records those of ${open.map((row) => `“${row.name}”`).join(', ')} are; none of them comes in until that is decided.`
  if (last?.state === 'failed') return `The last run failed: ${last.because ?? 'its source did not say why.'}`
  const total = rows.reduce((sum, row) => sum + row.records, 0)
  return `${plural(total, 'record is', 'records are')} here from ${plural(rows.length, 'stream', 'streams')}.`
}

/** Nobody can tell whose its records are, and nobody left it out. */
const asks = (stream: Stream) =>
  !stream.leftOut && !stream.columns.some((column) => column.meaning.kind === 'identifier')

function Whose({ stream }: { stream: Stream }) {
  if (stream.leftOut) return <span className="secondary">left out</span>
  if (asks(stream)) return <Mark is="warn">needs your word</Mark>
  const by = stream.columns.flatMap((column) => (column.meaning.kind === 'identifier' ? [column.name] : []))
  return (
    <>
      by {by.join(', ')}
      {stream.decidedBy === null ? <span className="secondary">, guessed</span> : null}
    </>
  )
}

const words = { done: 'done', failed: 'failed', left: 'left without an end' } as const

function Stands({ run }: { run: Run }) {
  if (run.state === 'failed') return <Mark is="fail">{run.because ?? 'failed'}</Mark>
  if (run.state === 'running')
    return (
      <>
        coming in, last heard <Ago at={run.heardAt} />
      </>
    )
  return <>{words[run.state]}</>
}

function Runs({ rows }: { rows: readonly Run[] }) {
  const [last] = rows
  return (
    <>
      {last === undefined ? null : <LastRun run={last} />}
      <Card title="When messages came in">
        <Table
          label="Runs"
          head={['Began', 'Source', 'Stands', 'Records', 'Went in', 'Unchanged', 'Put aside', 'Rejected', 'No message']}
          right={[3, 4, 5, 6, 7, 8]}
        >
          {rows.map((run) => (
            <tr key={run.id}>
              <td>
                <Ago at={run.startedAt} />
              </td>
              <td>{run.sourceName}</td>
              <td>
                <Stands run={run} />
              </td>
              {(['records', 'sent', 'unchanged', 'quarantined', 'rejected', 'malformed'] as const).map((key) => (
                <td key={key} className="right">
                  {count(run.counts[key])}
                </td>
              ))}
            </tr>
          ))}
        </Table>
      </Card>
    </>
  )
}

function LastRun({ run }: { run: Run }) {
  const { counts } = run
  return (
    <Card title={`The last run, from ${run.sourceName}`} aside="records = went in + unchanged + put aside + rejected">
      <div className="numbers">
        {(
          [
            ['lines', 'Lines read'],
            ['records', 'Records'],
            ['sent', 'Went in'],
            ['unchanged', 'Unchanged'],
            ['quarantined', 'Put aside'],
            ['rejected', 'Rejected'],
            ['withProblems', 'With values unread'],
            ['gone', 'Gone there'],
            ['malformed', 'Lines that are no message'],
          ] as const
        ).map(([key, label]) => (
          <div key={key}>
            <b>{count(counts[key])}</b>
            <span className="secondary">{label}</span>
          </div>
        ))}
      </div>
      {counts.reasons.length === 0 ? null : (
        <Facts
          rows={counts.reasons.map((one) => ({
            label: plural(one.records, 'time', 'times'),
            says: one.reason,
            key: one.reason,
          }))}
        />
      )}
      {run.worst.length === 0 ? null : (
        <p className="secondary">
          For example:{' '}
          {run.worst
            .map((one) => `line ${count(one.line)}${one.stream === '' ? '' : ` (${one.stream} ${one.key})`}`)
            .join('; ')}
        </p>
      )}
    </Card>
  )
}
