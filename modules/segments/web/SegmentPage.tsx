import { Button, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { AuditOf } from '../../audit/web/index.tsx'
import { useAgreements } from '../../requests/web/index.tsx'
import { call, useDeed, useRoute } from '../../../ui/api.ts'
import { calledOf, count, percent, plural } from '../../../ui/format.tsx'
import { Ask, Card, Loading, ObjectLayout, Page, ProblemNote, useParam } from '../../../ui/page.tsx'
import { Versions } from '../../../ui/versions.tsx'
import { routes, SegmentDefinition, type Segment } from '../contract.ts'
import { Builder } from './Builder.tsx'
import { SizeOverTime } from './SizeOverTime.tsx'
import { WhyCard } from './Why.tsx'

const fresh: SegmentDefinition = {
  match: 'all',
  groups: [
    {
      match: 'all',
      not: false,
      of: [
        {
          kind: 'event',
          name: 'Order Completed',
          times: { is: 'at least', count: 1 },
          window: { kind: 'last', days: 60 },
          where: [],
        },
      ],
    },
  ],
}

export function SegmentPage() {
  const id = useParam('id')
  const found = useRoute(routes.get, { params: { id: id } }, { enabled: id !== 'new' })
  const agreements = useAgreements(id === 'new' ? undefined : id)
  if (id === 'new') return <Edit key="new" />
  return (
    <Ask of={found} shape="page">
      {({ segment, versions }) => (
        <ObjectLayout
          panel={{
            Size: <SizeOverTime segment={segment} />,
            Changes: <Versions rows={versions} />,
            ...agreements,
            Audit: <AuditOf kind="segment" id={segment.id} />,
          }}
        >
          <Edit key={segment.version} segment={segment} />
        </ObjectLayout>
      )}
    </Ask>
  )
}

function Edit({ segment }: { segment?: Segment }) {
  const navigate = useNavigate()
  const [name, setName] = useState(segment?.name ?? '')
  const [definition, setDefinition] = useState<SegmentDefinition>(segment?.definition ?? fresh)
  const [settled] = useDebouncedValue(definition, 350)
  const valid = SegmentDefinition.safeParse(settled)
  const preview = useRoute(routes.preview, { body: settled }, { enabled: valid.success, keep: true })
  const touches = ['/api/segments', '/api/broadcasts', '/api/requests', '/api/audit']
  const create = useDeed(routes.create, { touches, done: 'The segment is made.' })
  const change = useDeed(routes.change, {
    touches,
    done: (now) => `Version ${String(now.version)} is there. Keys on what uses it fell out.`,
  })
  const archive = useDeed(routes.archive, {
    touches,
    done: (now) => (now.archived ? 'Put away.' : 'Brought back.'),
    undo: (now) => () => call(routes.archive, { params: { id: now.id }, body: { archived: !now.archived } }),
  })
  const changed =
    segment === undefined || name !== segment.name || JSON.stringify(definition) !== JSON.stringify(segment.definition)
  const save = () => {
    if (segment === undefined)
      create.mutate(
        { body: { name, definition } },
        { onSuccess: (made) => void navigate({ to: `/segments/${made.id}` }) },
      )
    else change.mutate({ params: { id: segment.id }, body: { name, definition } })
  }
  return (
    <Page
      title={segment?.name ?? 'A new segment'}
      crumbs={[
        { label: 'Segments', to: '/segments' },
        { label: segment === undefined ? 'New' : `Version ${String(segment.version)}` },
      ]}
      actions={
        <>
          {segment === undefined ? null : (
            <>
              <Button
                variant="default"
                loading={archive.isPending}
                onClick={() => {
                  archive.mutate({ params: { id: segment.id }, body: { archived: !segment.archived } })
                }}
              >
                {segment.archived ? 'Bring it back' : 'Put it away'}
              </Button>
              <Button component={Link} to={`/campaigns/new?segment=${segment.id}`} variant="default">
                Send them something
              </Button>
            </>
          )}
          <Button
            disabled={!changed || name.trim() === '' || !valid.success}
            title={changed ? undefined : 'Nothing is changed.'}
            loading={create.isPending || change.isPending}
            onClick={save}
          >
            {segment === undefined ? 'Make it' : 'Save a new version'}
          </Button>
        </>
      }
    >
      <Card>
        {preview.data === undefined ? (
          preview.error === null ? (
            <Loading rows={2} />
          ) : (
            <ProblemNote problem={preview.error} />
          )
        ) : (
          <>
            <p className="sentence" aria-live="polite">
              <b>{plural(preview.data.size.people, 'person', 'people')}</b>,{' '}
              {percent(preview.data.size.of === 0 ? 0 : preview.data.size.people / preview.data.size.of)} of all{' '}
              {count(preview.data.size.of)}; {count(preview.data.size.reachable)} of them have an e-mail address.{' '}
              {preview.data.says}
            </p>
            <p className="secondary" style={{ marginTop: 8 }}>
              {preview.data.sample.length === 0 ? 'Nobody is like this now.' : 'Among them: '}
              {preview.data.sample.map((person, index) => (
                <span key={person.id}>
                  {index === 0 ? '' : ', '}
                  <Link to={`/people/${person.id}`}>{calledOf(person)}</Link>
                </span>
              ))}
              {preview.data.sample.length === 0 ? '' : '.'} Counted in {count(preview.data.milliseconds)} ms.
            </p>
          </>
        )}
      </Card>
      <TextInput
        label="Name"
        placeholder="Bought in the last 60 days"
        required
        value={name}
        onChange={(event) => {
          setName(event.currentTarget.value)
        }}
      />
      <Builder value={definition} change={setDefinition} />
      {segment === undefined ? null : <WhyCard segment={segment} />}
      {valid.success ? null : <p className="secondary">Something is still empty: {valid.error.issues[0]?.message}.</p>}
    </Page>
  )
}
