import { Button, Progress } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { AuditOf } from '../../audit/web/index.tsx'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, count, plural } from '../../../ui/format.tsx'
import { WhenCard } from '../../../ui/freshness.tsx'
import { Ask, Card, Facts, ObjectLayout, Page, Table, useParam } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { SureButton } from '../../../ui/sure.tsx'
import { routes, type Pull, type Run } from '../contract.ts'
import { ConnectionFields, fromWhere } from './ConnectionFields.tsx'
import { PlanCard } from './PlanCard.tsx'
import { runWords, touches } from './PullsPage.tsx'

export function PullPage() {
  const id = useParam('id') as never
  const found = useRoute(routes.get, { params: { id } }, { everyMs: 1_500 })
  return (
    <Ask of={found} shape="page">
      {(pull) => <Shown pull={pull} />}
    </Ask>
  )
}

function Shown({ pull }: { pull: Pull }) {
  const params = { id: pull.id }
  const navigate = useNavigate()
  const run = useDeed(routes.run, { touches })
  const cancel = useDeed(routes.cancel, { touches, done: 'Stopped. What went in stays; the next run reads the rest.' })
  const remove = useDeed(routes.remove, { touches, done: 'Removed, with its password. What came in stays.' })
  const busy = pull.last?.state === 'running'
  return (
    <ObjectLayout panel={{ Audit: <AuditOf kind="pull" id={pull.id} /> }}>
      <Page
        title={pull.name}
        crumbs={[
          { label: 'Sources', to: '/sources' },
          { label: 'Databases', to: '/pulls' },
        ]}
        sub={`${fromWhere(pull.connection, true)} into “${pull.sourceName}”, connected by ${pull.createdBy}.`}
        sentence={sentenceOf(pull)}
        actions={
          busy ? (
            <Button
              variant="default"
              onClick={() => {
                cancel.mutate({ params })
              }}
            >
              Stop
            </Button>
          ) : (
            <>
              <SureButton
                label="Read everything again"
                disabled={pull.plan === null}
                title={pull.plan === null ? 'Choose first what is read.' : undefined}
                says="Every row is read and compared, not only those that changed. What is here as it is there is not stored twice; it takes the other database longer."
                onSure={() => {
                  run.mutate({ params, body: { whole: true } })
                }}
              />
              <Button
                disabled={pull.plan === null}
                title={pull.plan === null ? 'Choose first what is read.' : undefined}
                loading={run.isPending}
                onClick={() => {
                  run.mutate({ params, body: {} })
                }}
              >
                Read now
              </Button>
            </>
          )
        }
      >
        {busy && pull.last !== null ? <Going run={pull.last} /> : null}
        {pull.last?.asksGone === true ? (
          <Card title="Are they really gone?" aside="nothing was said of them yet">
            <p>{pull.last.because}</p>
            <div className="row">
              <SureButton
                label="They are really gone"
                says="The event “Record Deleted” is said of each of them. What came in before stays."
                onSure={() => {
                  run.mutate({ params, body: { letGo: true } })
                }}
              />
            </div>
          </Card>
        ) : null}
        {pull.last === null ? null : <LastRun run={pull.last} />}
        <PlanCard pull={pull} fixed={busy} />
        <Scheduled pull={pull} />
        <Connected pull={pull} fixed={busy} />
        <History pull={pull} />
        <div className="row">
          <SureButton
            label="Remove this pull"
            disabled={busy}
            title={busy ? 'It is being read; stop that first.' : undefined}
            says="Its password and what it knows of the rows are deleted. What came in stays. A new pull of the same table would say all of it again."
            onSure={() => {
              remove.mutate({ params }, { onSuccess: () => void navigate({ to: '/pulls' }) })
            }}
          />
        </div>
      </Page>
    </ObjectLayout>
  )
}

function sentenceOf(pull: Pull): string {
  const { last, freshness } = pull
  if (pull.plan === null) return 'It is connected. Choose what is read and what the columns mean.'
  if (last?.state === 'running')
    return `It is being read: ${plural(last.counts.rows, 'row', 'rows')} so far, ${count(last.counts.sent)} went in.`
  if (last?.asksGone === true) return 'It stopped with a question: more than half of its rows are not there any more.'
  if (last?.state === 'failed') return `The last run failed: ${last.because ?? 'the log says why.'}`
  if (freshness.missed)
    return `It is older than the ${plural(freshness.promiseHours ?? 0, 'hour', 'hours')} that were promised.`
  if (last === null) return 'It was never read.'
  if (last.state === 'cancelled') return 'The last run was stopped; the next one reads the rest.'
  const gone = last.counts.gone === 0 ? '' : ` ${plural(last.counts.gone, 'row is', 'rows are')} gone from there.`
  return `${count(last.counts.sent)} of ${plural(last.counts.rows, 'row', 'rows')} of the last run went in; ${count(last.counts.unchanged)} were here already as they are, ${count(last.counts.rejected)} were rejected.${gone}`
}

function Going({ run }: { run: Run }) {
  const passes = { rows: 'rows', without: 'rows without a cursor', keys: 'which rows are gone' }
  const share =
    run.whole && run.expected !== null && run.expected > 0 ? Math.min(100, (run.counts.rows / run.expected) * 100) : 100
  return (
    <div>
      <Progress aria-label="Read so far" value={share} animated />
      <p className="secondary">
        Now: {passes[run.pass ?? 'rows']}.
        {run.whole && run.expected !== null ? ` The table has about ${count(run.expected)} rows.` : ''}
      </p>
    </div>
  )
}

function LastRun({ run }: { run: Run }) {
  return (
    <Card title="The last run" aside="rows = went in + unchanged + put aside + rejected">
      <div className="numbers">
        {(
          [
            ['rows', 'Rows read'],
            ['sent', 'Went in'],
            ['unchanged', 'Unchanged'],
            ['quarantined', 'Put aside'],
            ['rejected', 'Rejected'],
            ['withProblems', 'With cells unread'],
            ['gone', 'Gone there'],
          ] as const
        ).map(([key, label]) => (
          <div key={key}>
            <b>{count(run.counts[key])}</b>
            <span className="secondary">{label}</span>
          </div>
        ))}
      </div>
      {run.counts.reasons.length === 0 ? null : (
        <Facts
          rows={run.counts.reasons.map((one) => ({
            label: plural(one.rows, 'row', 'rows'),
            says: one.reason,
            key: one.reason,
          }))}
        />
      )}
      {run.worst.length === 0 ? null : (
        <p className="secondary">Keys of such rows: {run.worst.map((one) => one.key).join('; ')}</p>
      )}
    </Card>
  )
}

function Scheduled({ pull }: { pull: Pull }) {
  const save = useDeed(routes.settings, { touches, done: 'Kept.' })
  return (
    <WhenCard
      of={pull}
      saving={save.isPending}
      onSave={(body) => {
        save.mutate({ params: { id: pull.id }, body })
      }}
    />
  )
}

function Connected({ pull, fixed }: { pull: Pull; fixed: boolean }) {
  const [wanted, setWanted] = useState({ connection: pull.connection, password: '' })
  const save = useDeed(routes.connect, { touches, done: 'The connection works and is kept.' })
  return (
    <Card
      title="The connection"
      aside={`another place needs its ${pull.connection.kind === 'salesforce' ? 'secret' : 'password'} again`}
    >
      <div className="stack">
        <ConnectionFields value={wanted} onChange={setWanted} fixedKind />
        <div className="row">
          <Button
            variant="default"
            disabled={fixed}
            title={fixed ? 'It is being read; stop that first.' : undefined}
            loading={save.isPending}
            onClick={() => {
              save.mutate({
                params: { id: pull.id },
                body: {
                  connection: wanted.connection,
                  ...(wanted.password === '' ? {} : { password: wanted.password }),
                },
              })
            }}
          >
            Try and keep
          </Button>
        </div>
      </div>
    </Card>
  )
}

function History({ pull }: { pull: Pull }) {
  const runs = useRoute(routes.runs, { params: { id: pull.id } }, { everyMs: 5_000 })
  return (
    <Ask of={runs} shape="table">
      {(rows) =>
        rows.length === 0 ? null : (
          <Card title="Runs">
            <Table
              label="Runs"
              head={['Began', 'Stands', 'By', 'Rows', 'Went in', 'Unchanged', 'Put aside', 'Rejected', 'Gone']}
              right={[3, 4, 5, 6, 7, 8]}
            >
              {rows.map((run) => (
                <tr key={run.id}>
                  <td>
                    <Ago at={run.startedAt} />
                  </td>
                  <td>
                    {run.state === 'failed' ? (
                      <Mark is="fail">{run.because ?? 'failed'}</Mark>
                    ) : (
                      `${runWords[run.state]}${run.whole ? ', everything' : ''}`
                    )}
                  </td>
                  <td>{run.startedBy}</td>
                  {(['rows', 'sent', 'unchanged', 'quarantined', 'rejected', 'gone'] as const).map((key) => (
                    <td key={key} className="right">
                      {count(run.counts[key])}
                    </td>
                  ))}
                </tr>
              ))}
            </Table>
          </Card>
        )
      }
    </Ask>
  )
}
