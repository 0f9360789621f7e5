import { Button, Modal, Select, TextInput } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { useAddress } from '../../../ui/address.tsx'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ask, Card, Page, Table } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes, sourceKinds, type NewSource } from '../contract.ts'

const kinds = Object.entries(sourceKinds)
  .filter(([kind]) => kind !== 'internal')
  .map(([value, label]) => ({ value, label }))

export function SourcesPage() {
  const list = useRoute(routes.list)
  const navigate = useNavigate()
  const [{ add }, put] = useAddress()
  const [name, setName] = useState('')
  const [kind, setKind] = useState<string | null>('web')
  const create = useDeed(routes.create, {
    touches: ['/api/sources', '/api/tools'],
    done: (source) => `“${source.name}” is there, with its write key.`,
  })
  return (
    <Page
      title="Sources"
      sub="Every feed has a write key and is a tool in the register. What arrives is kept before it is acknowledged."
      actions={
        <>
          <Button component={Link} to="/sources/live" variant="default">
            See events arrive
          </Button>
          <Button component={Link} to="/sources/ledger" variant="default">
            Ledger
          </Button>
          <Button component={Link} to="/sources/capacity" variant="default">
            Capacity
          </Button>
          <Button component={Link} to="/sources/quarantine" variant="default">
            Quarantine
          </Button>
          <Button component={Link} to="/pulls" variant="default">
            Databases
          </Button>
          <Button component={Link} to="/streams" variant="default">
            Streams
          </Button>
          <Button component={Link} to="/imports" variant="default">
            Import a file
          </Button>
          <Button component={Link} to="/webhooks" variant="default">
            Webhooks
          </Button>
          <Button component={Link} to="/feeds" variant="default">
            Feeds
          </Button>
          <Button
            onClick={() => {
              put({ add: 'yes' })
            }}
          >
            Add a source
          </Button>
        </>
      }
    >
      <Card className="list">
        <Ask of={list} shape="table">
          {({ sources }) => (
            <Table label="Sources" head={['Source', 'Kind', 'Write key', 'Stands']}>
              {sources.map((source) => (
                <tr key={source.id}>
                  <td>
                    <Link to={`/sources/${source.id}`}>{source.name}</Link>
                  </td>
                  <td>{sourceKinds[source.kind]}</td>
                  <td>
                    {source.kind === 'internal' ? (
                      <span className="secondary">none: these are Interlock’s own events</span>
                    ) : (
                      <code>{source.writeKey}</code>
                    )}
                  </td>
                  <td>{source.enabled ? <Mark is="ok">on</Mark> : <Mark is="warn">switched off</Mark>}</td>
                </tr>
              ))}
            </Table>
          )}
        </Ask>
      </Card>
      <Modal
        opened={add !== undefined}
        onClose={() => {
          put({ add: undefined })
        }}
        title="Add a source"
      >
        <form
          className="stack"
          onSubmit={(event: FormEvent) => {
            event.preventDefault()
            create.mutate(
              { body: { name, kind: kind as NewSource['kind'] } },
              { onSuccess: (source) => void navigate({ to: `/sources/${source.id}` }) },
            )
          }}
        >
          <TextInput
            label="Name"
            required
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value)
            }}
          />
          <Select label="What is it?" data={kinds} value={kind} onChange={setKind} allowDeselect={false} />
          <Button type="submit" loading={create.isPending}>
            Add it
          </Button>
        </form>
      </Modal>
    </Page>
  )
}
