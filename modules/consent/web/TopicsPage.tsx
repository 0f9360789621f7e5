import { Button, Checkbox, Modal, Textarea, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, count } from '../../../ui/format.tsx'
import { Ask, Card, Page, Table } from '../../../ui/page.tsx'
import { routes as sourceRoutes } from '../../sources/contract.ts'
import { routes, type Topic, type UnknownTopic } from '../contract.ts'

export function TopicsPage() {
  const topics = useRoute(routes.topics)
  const unknown = useRoute(routes.unknownTopics)
  const [editing, setEditing] = useState<Topic | 'new' | undefined>()
  return (
    <Page
      title="Topics"
      crumbs={[{ label: 'Settings', to: '/settings' }, { label: 'Topics' }]}
      sub="What people can agree to, in the words they agree to. No mail of a topic goes to an address that did not."
      actions={
        <Button
          onClick={() => {
            setEditing('new')
          }}
        >
          Add a topic
        </Button>
      }
    >
      <Card className="list">
        <Ask of={topics} shape="table">
          {(rows) => (
            <Table
              label="Topics"
              head={['Topic', 'Words that people agree to', 'Agreed', 'Withdrew', 'Offered', '']}
              right={[2, 3]}
            >
              {rows.map((topic) => (
                <tr key={topic.id}>
                  <td>
                    <b>{topic.name}</b>
                    <br />
                    <code>{topic.id}</code>
                  </td>
                  <td>{topic.wording}</td>
                  <td className="right">{count(topic.granted)}</td>
                  <td className="right">{count(topic.withdrawn)}</td>
                  <td>{topic.listed ? 'on the preference page' : 'no'}</td>
                  <td>
                    <Button
                      size="compact-sm"
                      variant="default"
                      onClick={() => {
                        setEditing(topic)
                      }}
                    >
                      Change
                    </Button>
                  </td>
                </tr>
              ))}
            </Table>
          )}
        </Ask>
      </Card>
      <Unknown
        rows={unknown.data ?? []}
        make={(found) => {
          setEditing({ id: found.topic, name: found.name, description: '', wording: '', listed: true })
        }}
      />
      <Modal
        opened={editing !== undefined}
        onClose={() => {
          setEditing(undefined)
        }}
        title={
          editing === 'new' || !(topics.data ?? []).some((topic) => topic.id === editing?.id)
            ? 'Add a topic'
            : 'Change a topic'
        }
      >
        {editing === undefined ? null : (
          <Edit
            topic={editing}
            close={() => {
              setEditing(undefined)
            }}
          />
        )}
      </Modal>
    </Page>
  )
}

/** Whoever has the key of a page can name anything: a person decides what is a topic. */
function Unknown({ rows, make }: { rows: readonly UnknownTopic[]; make: (found: UnknownTopic) => void }) {
  const sources = useRoute(sourceRoutes.list)
  if (rows.length === 0) return null
  return (
    <Card title="Named by events, but no topic" aside="kept as events, not as consent">
      <Table label="Unknown topics" head={['As it was spelled', 'Source', 'Events', 'Last', '']} right={[2]}>
        {rows.map((found) => (
          <tr key={`${found.sourceId} ${found.topic}`}>
            <td>{found.topic === '' ? 'more names than are kept' : found.name}</td>
            <td>{sources.data?.sources.find((one) => one.id === found.sourceId)?.name ?? 'a source that is gone'}</td>
            <td className="right">{count(found.events)}</td>
            <td>
              <Ago at={found.lastAt} />
            </td>
            <td>
              {found.topic === '' ? null : (
                <Button
                  size="compact-sm"
                  variant="default"
                  onClick={() => {
                    make(found)
                  }}
                >
                  Make it a topic
                </Button>
              )}
            </td>
          </tr>
        ))}
      </Table>
    </Card>
  )
}

function Edit({ topic, close }: { topic: Topic | 'new'; close: () => void }) {
  const start = topic === 'new' ? { id: '', name: '', description: '', wording: '', listed: true } : topic
  const [value, setValue] = useState(start)
  const set = useDeed(routes.setTopic, {
    touches: ['/api/topics'],
    done: 'Saved. Earlier words stay with the consents that were given to them.',
  })
  return (
    <form
      className="stack"
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        set.mutate(
          {
            params: { id: value.id },
            body: { name: value.name, description: value.description, wording: value.wording, listed: value.listed },
          },
          { onSuccess: close },
        )
      }}
    >
      <TextInput
        label="Short name"
        description="Small letters, digits and hyphens. It is in links of mails that were sent, so it stays."
        required
        disabled={topic !== 'new'}
        pattern="[a-z0-9][a-z0-9\-]{0,39}"
        value={value.id}
        onChange={(event) => {
          setValue({ ...value, id: event.currentTarget.value })
        }}
      />
      <TextInput
        label="Name"
        required
        value={value.name}
        onChange={(event) => {
          setValue({ ...value, name: event.currentTarget.value })
        }}
      />
      <TextInput
        label="Description"
        value={value.description}
        onChange={(event) => {
          setValue({ ...value, description: event.currentTarget.value })
        }}
      />
      <Textarea
        label="Words that people agree to"
        required
        autosize
        minRows={2}
        value={value.wording}
        onChange={(event) => {
          setValue({ ...value, wording: event.currentTarget.value })
        }}
      />
      <Checkbox
        label="Offer it on the preference page"
        checked={value.listed}
        onChange={(event) => {
          setValue({ ...value, listed: event.currentTarget.checked })
        }}
      />
      <Button type="submit" loading={set.isPending}>
        Save
      </Button>
    </form>
  )
}
