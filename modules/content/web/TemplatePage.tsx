import { Button, Modal, SegmentedControl, Select, Textarea, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { AuditOf } from '../../audit/web/index.tsx'
import { useAgreements } from '../../requests/web/index.tsx'
import { routes as profiles } from '../../profiles/contract.ts'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ask, Card, ObjectLayout, Page, ProblemNote, useParam } from '../../../ui/page.tsx'
import { MailFrame } from '../../../ui/mail-frame.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { Versions } from '../../../ui/versions.tsx'
import { routes, type Body, type Template } from '../contract.ts'
import { Blocks } from './Blocks.tsx'
import { TestSend } from './TestSend.tsx'

const fresh: Body = {
  subject: 'Hello {{ person.firstName | default: "friend" }}',
  preheader: '',
  design: {
    kind: 'blocks',
    blocks: [
      { kind: 'heading', text: 'Something new' },
      { kind: 'text', text: 'Dear {{ person.firstName | default: "friend" }}, …' },
      { kind: 'button', text: 'See it', href: 'https://shop.example/new' },
    ],
  },
}
const freshMjml = `<mjml>
  <mj-body>
    <mj-section>
      <mj-column>
        <mj-text font-size="22px">Something new</mj-text>
        <mj-text>Dear {{ person.firstName | default: "friend" }}, …</mj-text>
        <mj-button href="https://shop.example/new">See it</mj-button>
        <mj-text font-size="12px"><a href="{{ unsubscribe }}">Unsubscribe</a></mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>`

export function TemplatePage() {
  const id = useParam('id')
  const found = useRoute(routes.get, { params: { id: id } }, { enabled: id !== 'new' })
  const agreements = useAgreements(id === 'new' ? undefined : id)
  if (id === 'new') return <Edit key="new" />
  return (
    <Ask of={found} shape="page">
      {(template) => (
        <ObjectLayout
          panel={{
            Changes: <Changes of={template} />,
            ...agreements,
            Audit: <AuditOf kind="template" id={template.id} />,
          }}
        >
          <Edit key={template.version} template={template} />
        </ObjectLayout>
      )}
    </Ask>
  )
}

function Changes({ of }: { of: Template }) {
  const found = useRoute(routes.versions, { params: { id: of.id } })
  return (
    <Ask of={found}>{(versions) => <Versions rows={versions.map((one) => ({ ...one, says: one.subject }))} />}</Ask>
  )
}

function Edit({ template }: { template?: Template }) {
  const navigate = useNavigate()
  const [name, setName] = useState(template?.name ?? '')
  const [body, setBody] = useState<Body>(template?.body ?? fresh)
  const [testing, setTesting] = useState(false)
  const [person, setPerson] = useState<string | null>(null)
  const touches = ['/api/templates', '/api/broadcasts', '/api/requests', '/api/audit']
  const create = useDeed(routes.create, { touches, done: 'The mail is saved.' })
  const change = useDeed(routes.change, {
    touches,
    done: (now) => `Version ${String(now.version)} is there. Keys on what uses it fell out.`,
  })
  const changed =
    template === undefined || name !== template.name || JSON.stringify(body) !== JSON.stringify(template.body)
  const save = () => {
    if (template === undefined)
      create.mutate({ body: { name, body } }, { onSuccess: (made) => void navigate({ to: `/content/${made.id}` }) })
    else change.mutate({ params: { id: template.id }, body: { name, body } })
  }
  const { design } = body
  return (
    <Page
      title={template?.name ?? 'A new mail'}
      crumbs={[
        { label: 'Content', to: '/content' },
        { label: template === undefined ? 'New' : `Version ${String(template.version)}` },
      ]}
      actions={
        <>
          {template === undefined ? null : (
            <Button
              variant="default"
              disabled={changed}
              title={changed ? 'Save first; the test is of what is saved.' : undefined}
              onClick={() => {
                setTesting(true)
              }}
            >
              Send a test
            </Button>
          )}
          <Button
            disabled={!changed || name.trim() === ''}
            title={changed ? undefined : 'Nothing is changed.'}
            loading={create.isPending || change.isPending}
            onClick={save}
          >
            {template === undefined ? 'Save it' : 'Save a new version'}
          </Button>
        </>
      }
    >
      <div className="split">
        <div className="stack">
          <TextInput
            label="Name"
            required
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value)
            }}
          />
          <TextInput
            label="Subject"
            required
            value={body.subject}
            onChange={(event) => {
              setBody({ ...body, subject: event.currentTarget.value })
            }}
          />
          <TextInput
            label="Preheader"
            description="What inboxes show behind the subject."
            value={body.preheader ?? ''}
            onChange={(event) => {
              setBody({ ...body, preheader: event.currentTarget.value })
            }}
          />
          <SegmentedControl
            aria-label="How it is written"
            value={design.kind}
            onChange={(kind) => {
              setBody({ ...body, design: kind === 'mjml' ? { kind: 'mjml', source: freshMjml } : fresh.design })
            }}
            data={[
              { value: 'blocks', label: 'Blocks' },
              { value: 'mjml', label: 'MJML' },
            ]}
          />
          {design.kind === 'blocks' ? (
            <Blocks
              blocks={design.blocks}
              change={(blocks) => {
                setBody({ ...body, design: { kind: 'blocks', blocks } })
              }}
            />
          ) : (
            <Textarea
              label="MJML"
              autosize
              minRows={16}
              maxRows={40}
              styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }}
              value={design.source}
              onChange={(event) => {
                setBody({ ...body, design: { kind: 'mjml', source: event.currentTarget.value } })
              }}
            />
          )}
        </div>
        <Preview body={body} person={person} setPerson={setPerson} />
      </div>
      {template === undefined ? null : (
        <Modal
          opened={testing}
          onClose={() => {
            setTesting(false)
          }}
          title="Send a test"
        >
          <TestSend
            template={template}
            person={person}
            close={() => {
              setTesting(false)
            }}
          />
        </Modal>
      )}
    </Page>
  )
}

/** As a real person would get it: desktop, phone, or text alone. */
function Preview({
  body,
  person,
  setPerson,
}: {
  body: Body
  person: string | null
  setPerson: (id: string | null) => void
}) {
  const [settled] = useDebouncedValue(body, 400)
  const [as, setAs] = useState('desktop')
  const [search, setSearch] = useState('')
  const [sought] = useDebouncedValue(search, 250)
  const people = useRoute(profiles.list, { query: { search: sought } }, { keep: true })
  const made = useRoute(
    routes.preview,
    { body: { body: settled, ...(person === null ? {} : { profileId: person }) } },
    { keep: true },
  )
  const data = (people.data?.people ?? [])
    .filter((row) => row.name !== '')
    .slice(0, 30)
    .map((row) => ({ value: row.id as string, label: row.email === null ? row.name : `${row.name}, ${row.email}` }))
  return (
    <Card title="As a person gets it">
      <div className="stack">
        <div className="row">
          <Select
            className="grow"
            aria-label="Which person"
            placeholder="Nobody in particular"
            searchable
            clearable
            data={data}
            value={person}
            onChange={setPerson}
            onSearchChange={setSearch}
            filter={({ options }) => options}
          />
          <SegmentedControl
            aria-label="Seen on"
            size="xs"
            value={as}
            onChange={setAs}
            data={[
              { value: 'desktop', label: 'Desktop' },
              { value: 'phone', label: 'Phone' },
              { value: 'text', label: 'Text' },
            ]}
          />
        </div>
        {made.error !== null ? <ProblemNote problem={made.error} /> : null}
        {made.data === undefined ? null : (
          <>
            <p>
              <b>{made.data.subject}</b> <span className="secondary">{made.data.preheader}</span>
            </p>
            {as === 'text' ? (
              <pre className="frame" style={{ padding: 12, color: '#16191d', margin: 0 }}>
                {made.data.text}
              </pre>
            ) : (
              <MailFrame html={made.data.html} height={560} {...(as === 'phone' ? { width: 375 } : {})} />
            )}
            {made.data.warnings.map((warning) => (
              <p key={warning.what}>
                <Mark is="warn">{warning.what}</Mark> <span className="secondary">{warning.passes}</span>
              </p>
            ))}
          </>
        )}
      </div>
    </Card>
  )
}
