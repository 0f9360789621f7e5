import { Button } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { AuditOf } from '../../audit/web/index.tsx'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, count, plural } from '../../../ui/format.tsx'
import { WhenCard } from '../../../ui/freshness.tsx'
import { Ask, Card, Empty, ObjectLayout, Page, Table, useParam } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { SureButton } from '../../../ui/sure.tsx'
import { routes, type Standing, type Taking } from '../contract.ts'
import { isComplete, PlaceFields } from './PlaceFields.tsx'
import { fromOf, touches, waits } from './StandingImportsPage.tsx'

export function StandingImportPage() {
  const id = useParam('id') as never
  const found = useRoute(routes.get, { params: { id } }, { everyMs: 1_500 })
  return (
    <Ask of={found} shape="page">
      {(standing) => <Shown standing={standing} />}
    </Ask>
  )
}

function Shown({ standing }: { standing: Standing }) {
  const params = { id: standing.id }
  const navigate = useNavigate()
  const look = useDeed(routes.look, { touches })
  const stop = useDeed(routes.stop, { touches, done: 'Stopped. The next look begins the file anew.' })
  const remove = useDeed(routes.remove, { touches, done: 'Removed. What came in stays.' })
  return (
    <ObjectLayout panel={{ Audit: <AuditOf kind="standing" id={standing.id} /> }}>
      <Page
        title={standing.name}
        crumbs={[
          { label: 'Sources', to: '/sources' },
          { label: 'Imports', to: '/imports' },
          { label: 'By themselves', to: '/standing-imports' },
        ]}
        sub={`${fromOf(standing.place)} into “${standing.sourceName}”, added by ${standing.createdBy}.`}
        sentence={sentenceOf(standing)}
        actions={
          standing.coming === null ? (
            <Button
              loading={look.isPending}
              onClick={() => {
                look.mutate({ params })
              }}
            >
              Look now
            </Button>
          ) : (
            <Button
              variant="default"
              onClick={() => {
                stop.mutate({ params })
              }}
            >
              Stop
            </Button>
          )
        }
      >
        <Question standing={standing} />
        <LastLook standing={standing} />
        <Scheduled standing={standing} />
        <History standing={standing} />
        <Where standing={standing} />
        <div className="row">
          <SureButton
            label="Remove this standing import"
            disabled={standing.coming !== null}
            title={standing.coming === null ? undefined : 'A file comes in just now; stop that first.'}
            says="Its secret and what it knows of files are deleted. What came in stays. A new one of the same place would take all files again, and store nothing twice."
            onSure={() => {
              remove.mutate({ params }, { onSuccess: () => void navigate({ to: '/standing-imports' }) })
            }}
          />
        </div>
      </Page>
    </ObjectLayout>
  )
}

function sentenceOf(standing: Standing): string {
  const { last, freshness, look, coming } = standing
  if (coming !== null) return `A file comes in: ${count(Math.round(coming / 1024))} kB so far.`
  if (waits(standing) && last !== null)
    return last.importState === 'failed'
      ? `“${last.fileName}” could not be read: ${last.because ?? 'the log says why.'}`
      : `“${last.fileName}” waits for your answer, and the files behind it wait too.`
  if (last?.state === 'open')
    return `“${last.fileName}” is being read: ${plural(last.counts?.rows ?? 0, 'row', 'rows')} so far.`
  if (look.failed) return `The last look failed: ${look.says ?? ''}`
  if (freshness.missed)
    return `It is older than the ${plural(freshness.promiseHours ?? 0, 'hour', 'hours')} that were promised.`
  if (last?.state === 'refused') return `“${last.fileName}” is no table: ${last.because ?? ''}`
  if (last === null) return 'No file came yet. The first one asks what its columns mean.'
  return `The last file, “${last.fileName}”, was ${last.state === 'read' ? 'read in' : 'left out'}.`
}

/** What somebody has to say before the next file is read. */
function Question({ standing }: { standing: Standing }) {
  const leave = useDeed(routes.leave, { touches, done: 'Left out. The next file has its turn.' })
  const { last } = standing
  if (!waits(standing) || last?.importId == null) return null
  const { asks } = last
  const named = (names: readonly string[]) => names.map((name) => `“${name}”`).join(', ')
  const what =
    last.importState === 'failed'
      ? `${last.because ?? 'It failed.'} Read it again, or leave it out.`
      : asks?.first === true
        ? 'It is the first of its kind. Look what its columns mean, then read it in; files with the same columns are read that way by themselves.'
        : [
            asks !== null && asks.added.length + asks.missing.length === 0
              ? 'Its columns are those of the file before, but it is written otherwise: look at its separator or sheet.'
              : 'Its columns are not those of the file before.',
            asks === null || asks.added.length === 0 ? '' : `New: ${named(asks.added)}.`,
            asks === null || asks.missing.length === 0 ? '' : `Gone: ${named(asks.missing)}.`,
            'Say what they mean and read it in, or leave it out.',
          ]
            .filter((part) => part !== '')
            .join(' ')
  return (
    <Card title={`What about ${last.fileName}?`} aside={<Mark is="warn">waits for you</Mark>}>
      <div className="stack">
        <p>{what}</p>
        <div className="row">
          <Button component={Link} to={`/imports/${last.importId}`}>
            Look at it
          </Button>
          <SureButton
            label="Leave it out"
            says="This file is not read, now or later, unless you hand it in yourself. The next one has its turn."
            onSure={() => {
              leave.mutate({ params: { id: standing.id } })
            }}
          />
        </div>
      </div>
    </Card>
  )
}

function LastLook({ standing: { look } }: { standing: Standing }) {
  if (look.at === null) return null
  return (
    <Card title="The last look" aside={<Ago at={look.at} />}>
      <p>{look.failed ? <Mark is="fail">{look.says}</Mark> : look.says}</p>
    </Card>
  )
}

function Scheduled({ standing }: { standing: Standing }) {
  const save = useDeed(routes.settings, { touches, done: 'Kept.' })
  return (
    <WhenCard
      of={standing}
      saving={save.isPending}
      onSave={(body) => {
        save.mutate({ params: { id: standing.id }, body })
      }}
    />
  )
}

function Where({ standing }: { standing: Standing }) {
  const list = useRoute(routes.list)
  const [wanted, setWanted] = useState({ place: standing.place, secret: '' })
  const save = useDeed(routes.place, { touches, done: 'Kept. The next look goes there.' })
  return (
    <Card title="From where" aside="another server needs its secret again">
      <div className="stack">
        <PlaceFields value={wanted} folders={list.data?.folders ?? []} kept onChange={setWanted} />
        <div className="row">
          <Button
            variant="default"
            disabled={!isComplete(wanted)}
            loading={save.isPending}
            onClick={() => {
              save.mutate({
                params: { id: standing.id },
                body: { place: wanted.place, ...(wanted.secret === '' ? {} : { secret: wanted.secret }) },
              })
            }}
          >
            Keep this place
          </Button>
        </div>
      </div>
    </Card>
  )
}

const words: Record<Taking['state'], string> = {
  open: 'in hand',
  read: 'read in',
  left: 'left out',
  refused: 'no table',
}

function History({ standing }: { standing: Standing }) {
  const takings = useRoute(routes.takings, { params: { id: standing.id } }, { everyMs: 5_000 })
  return (
    <Ask of={takings} shape="table">
      {(rows) =>
        rows.length === 0 ? (
          <Empty
            sentence="No file came yet."
            example="Each file that comes has a line here, with its import and what became of its rows."
          />
        ) : (
          <Card title="Files that came">
            <Table
              label="Files that came"
              head={['Came', 'File', 'Stands', 'Rows', 'Went in', 'Unchanged', 'Put aside', 'Rejected']}
              right={[3, 4, 5, 6, 7]}
            >
              {rows.map((row) => (
                <tr key={row.id}>
                  <td>
                    <Ago at={row.takenAt} />
                    <div className="secondary">by {row.takenBy}</div>
                  </td>
                  <td>
                    {row.importId === null ? row.fileName : <Link to={`/imports/${row.importId}`}>{row.fileName}</Link>}
                  </td>
                  <td>
                    {row.state === 'refused' || row.importState === 'failed' ? (
                      <Mark is="fail">{row.because ?? words[row.state]}</Mark>
                    ) : row.because === null ? (
                      words[row.state]
                    ) : (
                      <Mark is="warn">{row.because}</Mark>
                    )}
                  </td>
                  {(['rows', 'sent', 'unchanged', 'quarantined', 'rejected'] as const).map((key) => (
                    <td key={key} className="right">
                      {row.counts === null ? '–' : count(row.counts[key])}
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
