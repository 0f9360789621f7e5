import { Button, Select, TextInput } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { routes as sources } from '../../sources/contract.ts'
import { useAddress } from '../../../ui/address.tsx'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { count, plural } from '../../../ui/format.tsx'
import { Fresh } from '../../../ui/freshness.tsx'
import { Ask, Card, Empty, Page, Table } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes, type Feed } from '../contract.ts'

export const touches = ['/api/feeds', '/api/audit']

export function FeedsPage() {
  const list = useRoute(routes.list, {}, { everyMs: 5_000 })
  return (
    <Page
      title="Content that is published"
      crumbs={[{ label: 'Sources', to: '/sources' }, { label: 'Feeds' }]}
      sub="Articles, posts and pages of your own sites, so that what people read can be told by title, author and category. An article is a record, not an event: it is about nobody."
      {...(list.data === undefined || list.data.length === 0 ? {} : { sentence: sentenceOf(list.data) })}
    >
      <Ask of={list} shape="table">
        {(rows) =>
          rows.length === 0 ? (
            <Empty
              sentence="No feed is read yet."
              example="Nearly every site has one: WordPress at /feed/, Shopify’s blog at /blogs/news.atom. RSS, Atom and JSON Feed are read by their address; an export of WordPress is handed in as a file."
            />
          ) : (
            <Card className="list">
              <Table
                label="Feeds"
                head={['Name', 'Of', 'Format', 'Fresh as of', 'Last reading', 'Items', 'Taken back']}
                right={[5, 6]}
              >
                {rows.map((row) => (
                  <tr key={row.id}>
                    <td>
                      <Link to={`/feeds/${row.id}`}>{row.name}</Link>
                    </td>
                    <td>
                      <Link to={`/sources/${row.sourceId}`}>{row.sourceName}</Link>
                    </td>
                    <td>{row.format ?? (row.url === null ? 'a file' : '–')}</td>
                    <td>
                      <Fresh of={row.freshness} />
                    </td>
                    <td>
                      {row.last === null ? (
                        'never'
                      ) : row.last.state === 'failed' ? (
                        <Mark is="fail">failed</Mark>
                      ) : (
                        readingWords[row.last.state]
                      )}
                    </td>
                    <td className="right">{count(row.items)}</td>
                    <td className="right">{count(row.gone)}</td>
                  </tr>
                ))}
              </Table>
            </Card>
          )
        }
      </Ask>
      <NewFeed />
    </Page>
  )
}

export const readingWords = { done: 'read', unmodified: 'nothing new', failed: 'failed' } as const

function sentenceOf(rows: readonly Feed[]): string {
  const late = rows.filter((row) => row.freshness.missed)
  const failed = rows.filter((row) => row.last?.state === 'failed')
  if (late.length > 0)
    return `${plural(late.length, 'feed is', 'feeds are')} older than promised: ${late.map((row) => row.name).join(', ')}.`
  if (failed.length > 0)
    return `The last reading of ${failed.map((row) => row.name).join(', ')} failed; its page says why.`
  const items = rows.reduce((sum, row) => sum + row.items, 0)
  return `${plural(items, 'item', 'items')} of ${plural(rows.length, 'feed', 'feeds')}, and none is older than promised.`
}

function NewFeed() {
  const [{ source }] = useAddress()
  const navigate = useNavigate()
  const list = useRoute(sources.list)
  const [name, setName] = useState('')
  const [url, setUrl] = useState('')
  const [sourceId, setSourceId] = useState<string | null>(source ?? null)
  const create = useDeed(routes.create, { touches, done: (feed) => `“${feed.name}” is there.` })
  const why = name.trim() === '' ? 'Give it a name.' : sourceId === null ? 'Choose the source.' : undefined
  return (
    <Card title="Add a feed">
      <form
        className="stack"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          if (sourceId === null) return
          create.mutate(
            { body: { name, sourceId, url: url.trim() === '' ? null : url } },
            { onSuccess: (feed) => void navigate({ to: `/feeds/${feed.id}` }) },
          )
        }}
      >
        <div className="fields">
          <TextInput
            label="Name"
            placeholder="Our blog"
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value)
            }}
          />
          <TextInput
            label="Address"
            description="Empty: you hand in a file."
            placeholder="https://www.example.com/feed/"
            inputMode="url"
            value={url}
            onChange={(event) => {
              setUrl(event.currentTarget.value)
            }}
          />
          <Select
            label="Of the source"
            data={(list.data?.sources ?? [])
              .filter((one) => one.kind !== 'internal')
              .map((one) => ({ value: one.id as string, label: one.name }))}
            value={sourceId}
            onChange={setSourceId}
          />
        </div>
        <div className="row">
          <Button type="submit" disabled={why !== undefined} title={why} loading={create.isPending}>
            Add it
          </Button>
          {why === undefined ? null : <span className="secondary">{why}</span>}
        </div>
      </form>
    </Card>
  )
}
