import { Button, FileButton, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { AuditOf } from '../../audit/web/index.tsx'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, count, plural } from '../../../ui/format.tsx'
import { WhenCard } from '../../../ui/freshness.tsx'
import { Ask, Card, Facts, ObjectLayout, Page, Table, useParam } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { SureButton } from '../../../ui/sure.tsx'
import { routes, type Feed, type Reading } from '../contract.ts'
import { readingWords, touches } from './FeedsPage.tsx'

/** One feed: what it has, when it was read, how fresh it must be. */
export function FeedPage() {
  const id = useParam('id')
  const found = useRoute(routes.get, { params: { id } }, { everyMs: 4_000 })
  return (
    <Ask of={found} shape="page">
      {(feed) => <Shown feed={feed} />}
    </Ask>
  )
}

function Shown({ feed }: { feed: Feed }) {
  const params = { id: feed.id }
  const navigate = useNavigate()
  const read = useDeed(routes.read, { touches, done: saysOf })
  const remove = useDeed(routes.remove, { touches, done: 'Removed, with its content.' })
  return (
    <ObjectLayout panel={{ Audit: <AuditOf kind="feed" id={feed.id} /> }}>
      <Page
        title={feed.name}
        crumbs={[
          { label: 'Sources', to: '/sources' },
          { label: 'Feeds', to: '/feeds' },
        ]}
        sub={`${feed.format ?? 'A feed'} of “${feed.sourceName}”${feed.title === null || feed.title === '' ? '' : `, which calls itself “${feed.title}”`}, added by ${feed.createdBy}.`}
        sentence={sentenceOf(feed)}
        actions={
          <>
            <HandIn feed={feed} />
            {feed.url === null ? null : (
              <Button
                loading={read.isPending}
                onClick={() => {
                  read.mutate({ params })
                }}
              >
                Read now
              </Button>
            )}
          </>
        }
      >
        {feed.last === null ? null : <LastReading reading={feed.last} />}
        <Items feed={feed} />
        <When key={`${feed.url ?? ''} ${feed.schedule ?? ''}`} feed={feed} />
        <Readings feed={feed} />
        <div className="row">
          <SureButton
            label="Remove this feed"
            says="Its items are deleted here. Events of people who read them stay."
            onSure={() => {
              remove.mutate({ params }, { onSuccess: () => void navigate({ to: '/feeds' }) })
            }}
          />
        </div>
      </Page>
    </ObjectLayout>
  )
}

function saysOf(reading: Reading): string {
  if (reading.state === 'failed') return reading.because ?? 'It failed.'
  if (reading.state === 'unmodified') return 'Nothing changed since the last reading.'
  const { stored, changed, unchanged, rejected } = reading.counts
  return `${count(stored)} new, ${count(changed)} changed, ${count(unchanged)} as before, ${count(rejected)} rejected.`
}

function sentenceOf({ last, freshness, items, gone }: Feed): string {
  if (freshness.missed)
    return `It is older than the ${plural(freshness.promiseHours ?? 0, 'hour', 'hours')} that were promised.`
  if (last === null) return 'It was never read.'
  if (last.state === 'failed') return `The last reading failed: ${last.because ?? 'the log says why.'}`
  return `${plural(items, 'item is', 'items are')} here${gone === 0 ? '' : `, ${count(gone)} were taken back`}. The last reading: ${saysOf(last).toLowerCase()}`
}

function HandIn({ feed }: { feed: Feed }) {
  const client = useQueryClient()
  const [says, setSays] = useState<string>()
  const [busy, setBusy] = useState(false)
  const send = async (file: File) => {
    setBusy(true)
    setSays(undefined)
    try {
      const answer = await fetch(routes.upload.path.replace(':id', feed.id), {
        method: 'POST',
        headers: { 'x-interlock': '1', 'content-type': 'application/octet-stream' },
        body: file,
        credentials: 'same-origin',
      })
      const reply = (await answer.json()) as Reading & { detail?: string }
      setSays(answer.ok ? saysOf(reply) : (reply.detail ?? 'It was refused.'))
      await client.invalidateQueries()
    } catch {
      setSays('The server cannot be reached. Choose the file again.')
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      {says === undefined ? null : <span role="status">{says}</span>}
      <FileButton
        accept=".xml,.rss,.atom,.json"
        onChange={(file) => {
          if (file !== null) void send(file)
        }}
      >
        {(props) => (
          <Button {...props} variant={feed.url === null ? 'filled' : 'default'} loading={busy}>
            Hand in a file
          </Button>
        )}
      </FileButton>
    </>
  )
}

function LastReading({ reading }: { reading: Reading }) {
  if (reading.state !== 'done') return null
  return (
    <Card title="The last reading" aside="items = new + changed + unchanged + rejected">
      <div className="numbers">
        {(
          [
            ['items', 'Items'],
            ['stored', 'New'],
            ['changed', 'Changed'],
            ['unchanged', 'Unchanged'],
            ['rejected', 'Rejected'],
            ['gone', 'Taken back'],
          ] as const
        ).map(([key, label]) => (
          <div key={key}>
            <b>{count(reading.counts[key])}</b>
            <span className="secondary">{label}</span>
          </div>
        ))}
      </div>
      {reading.rejected.length === 0 ? null : (
        <Facts
          rows={reading.rejected.map((one, at) => ({
            label: one.what === '' ? 'without a title' : one.what,
            says: one.reason,
            key: String(at),
          }))}
        />
      )}
    </Card>
  )
}

function Items({ feed }: { feed: Feed }) {
  const found = useRoute(routes.items, { params: { id: feed.id } }, { everyMs: 10_000 })
  if (feed.items + feed.gone === 0) return null
  return (
    <Card title="Content" aside="newest first">
      <Ask of={found} shape="table">
        {(rows) => (
          <Table label="Content" head={['Published', 'Title', 'Author', 'Categories', 'Stands']}>
            {rows.map((row) => (
              <tr key={row.key}>
                <td>{row.publishedAt === null ? '–' : <Ago at={row.publishedAt} />}</td>
                <td>
                  {row.url === null ? (
                    row.title
                  ) : (
                    <a href={row.url} target="_blank" rel="noreferrer noopener">
                      {row.title === '' ? row.url : row.title}
                    </a>
                  )}
                </td>
                <td>{row.author ?? '–'}</td>
                <td className="secondary">{row.categories.join(', ')}</td>
                <td>
                  {row.goneAt !== null ? (
                    <Mark is="warn">
                      taken back <Ago at={row.goneAt} />
                    </Mark>
                  ) : row.versions > 1 ? (
                    <>
                      version {row.versions}, <Ago at={row.changedAt} />
                    </>
                  ) : (
                    'as published'
                  )}
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Ask>
    </Card>
  )
}

function When({ feed }: { feed: Feed }) {
  const params = { id: feed.id }
  const [url, setUrl] = useState(feed.url ?? '')
  const save = useDeed(routes.change, { touches, done: 'Kept.' })
  return (
    <WhenCard
      of={feed}
      saving={save.isPending}
      onSave={(change) => {
        const moved = change.paused === undefined && url.trim() !== ''
        save.mutate({ params, body: { ...(moved ? { url } : {}), ...change } })
      }}
    >
      <TextInput
        label="Address"
        inputMode="url"
        value={url}
        onChange={(event) => {
          setUrl(event.currentTarget.value)
        }}
      />
    </WhenCard>
  )
}

function Readings({ feed }: { feed: Feed }) {
  const found = useRoute(routes.readings, { params: { id: feed.id } }, { everyMs: 10_000 })
  if (found.data === undefined || found.data.length === 0) return null
  return (
    <Card title="Readings">
      <Table
        label="Readings"
        head={['At', 'Stands', 'By', 'Items', 'New', 'Changed', 'Unchanged', 'Rejected', 'Taken back']}
        right={[3, 4, 5, 6, 7, 8]}
      >
        {found.data.map((one) => (
          <tr key={one.id}>
            <td>
              <Ago at={one.at} />
            </td>
            <td>
              {one.state === 'failed' ? <Mark is="fail">{one.because ?? 'failed'}</Mark> : readingWords[one.state]}
            </td>
            <td>{one.startedBy}</td>
            {(['items', 'stored', 'changed', 'unchanged', 'rejected', 'gone'] as const).map((key) => (
              <td key={key} className="right">
                {count(one.counts[key])}
              </td>
            ))}
          </tr>
        ))}
      </Table>
    </Card>
  )
}
