import { Button, Checkbox, MultiSelect } from '@mantine/core'
import { Suspense, useState } from 'react'
import { AuditOf } from '../../audit/web/index.tsx'
import { MeaningSelect } from '../../imports/web/index.tsx'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { plural } from '../../../ui/format.tsx'
import { Ask, Card, ObjectLayout, Page, Table, useParam } from '../../../ui/page.tsx'
import { routes, type Stream } from '../contract.ts'
import { touches } from './StreamsPage.tsx'

export function StreamPage() {
  const id = useParam('id') as never
  const found = useRoute(routes.get, { params: { id } })
  return (
    <Ask of={found} shape="page">
      {(stream) => <Shown key={stream.id} stream={stream} />}
    </Ask>
  )
}

function Shown({ stream }: { stream: Stream }) {
  const [columns, setColumns] = useState(stream.columns)
  const [key, setKey] = useState(stream.key)
  const [leftOut, setLeftOut] = useState(stream.leftOut)
  const save = useDeed(routes.decide, { touches, done: 'Kept. The next run goes by it.' })
  const belongs = columns.some((column) => column.meaning.kind === 'identifier')
  return (
    <ObjectLayout panel={{ Audit: <AuditOf kind="stream" id={stream.id} /> }}>
      <Page
        title={stream.name}
        crumbs={[
          { label: 'Sources', to: '/sources' },
          { label: 'Streams', to: '/streams' },
        ]}
        sub={`Into “${stream.sourceName}”. ${stream.decidedBy === null ? 'What its properties mean is guessed from their names.' : `${stream.decidedBy} decided what its properties mean.`}`}
        sentence={sentenceOf(stream)}
      >
        <Card title="What its properties mean" aside="nested ones are written with a dot">
          <div className="stack">
            <Table label="Properties" head={['Property', 'Type', 'Means']}>
              {columns.map((column) => (
                <tr key={column.name}>
                  <td>
                    <b>{column.name}</b>
                  </td>
                  <td>{column.type}</td>
                  <td>
                    <Suspense fallback={null}>
                      <MeaningSelect
                        column={column}
                        disabled={leftOut}
                        onChange={(meaning) => {
                          setColumns(
                            columns.map((other) => (other.name === column.name ? { ...other, meaning } : other)),
                          )
                        }}
                      />
                    </Suspense>
                  </td>
                </tr>
              ))}
            </Table>
            <div className="fields">
              <MultiSelect
                label="A record is known by"
                description="Properties that tell every record from every other."
                data={columns.map((column) => column.name)}
                value={key}
                maxValues={8}
                onChange={setKey}
              />
            </div>
            <Checkbox
              label="Leave this stream out"
              description="Its records are counted as rejected, and nothing of them is kept."
              checked={leftOut}
              onChange={(event) => {
                setLeftOut(event.currentTarget.checked)
              }}
            />
            {belongs || leftOut ? null : (
              <p role="status">
                Mark the e-mail address or a customer number as identifier, or leave the stream out: without one, no
                record can be told to belong to anyone.
              </p>
            )}
            <div className="row">
              <Button
                disabled={key.length === 0 || !(belongs || leftOut)}
                loading={save.isPending}
                onClick={() => {
                  save.mutate({
                    params: { id: stream.id },
                    body: {
                      columns: columns.map(({ name, type, meaning }) => ({ name, type, meaning })),
                      key,
                      leftOut,
                    },
                  })
                }}
              >
                Keep this
              </Button>
            </div>
            <p className="secondary">
              Records that mean something else now are said again when they come again; another key makes other records
              of them.
            </p>
          </div>
        </Card>
      </Page>
    </ObjectLayout>
  )
}

function sentenceOf(stream: Stream): string {
  if (stream.leftOut) return 'It is left out: nothing of it is kept.'
  if (!stream.columns.some((column) => column.meaning.kind === 'identifier'))
    return 'None of its properties says whose record it is, so nothing of it comes in and the state of its tap is not kept.'
  return `${plural(stream.records, 'record is', 'records are')} here, known by ${stream.key.join(', ')}.`
}
