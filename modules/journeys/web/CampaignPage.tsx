import { Button, Modal, Progress, Select, TextInput } from '@mantine/core'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { AuditOf } from '../../audit/web/index.tsx'
import { routes as channels } from '../../channels/contract.ts'
import { routes as consent } from '../../consent/contract.ts'
import { routes as content } from '../../content/contract.ts'
import { AgreementOf } from '../../requests/web/index.tsx'
import { routes as segments } from '../../segments/contract.ts'
import { useAddress } from '../../../ui/address.tsx'
import { call, useDeed, useRoute } from '../../../ui/api.ts'
import { At, count, Meant, Timed } from '../../../ui/format.tsx'
import { MailFrame } from '../../../ui/mail-frame.tsx'
import { Ask, Card, Facts, ObjectLayout, Page, useParam } from '../../../ui/page.tsx'
import { messageStates, routes, type Broadcast, type MessageState } from '../contract.ts'

const touches = ['/api/broadcasts', '/api/requests', '/api/cockpit', '/api/audit']

export function CampaignPage() {
  const id = useParam('id')
  const found = useRoute(routes.get, { params: { id: id } }, { enabled: id !== 'new', everyMs: 2_000 })
  if (id === 'new')
    return (
      <Page
        title="A new broadcast"
        crumbs={[{ label: 'Campaigns', to: '/campaigns' }, { label: 'New' }]}
        sub="It sends nothing until a request for it has its keys."
      >
        <Card>
          <Form />
        </Card>
      </Page>
    )
  return (
    <Ask of={found} shape="page">
      {(broadcast) => <Shown broadcast={broadcast} />}
    </Ask>
  )
}

function Shown({ broadcast }: { broadcast: Broadcast }) {
  const [editing, setEditing] = useState(false)
  const [, put] = useAddress()
  const params = { id: broadcast.id }
  const pause = useDeed(routes.pause, {
    touches,
    done: 'Paused. Nothing more is claimed.',
    undo: () => () => call(routes.resume, { params }),
  })
  const resume = useDeed(routes.resume, {
    touches,
    done: 'It goes on.',
    undo: () => () => call(routes.pause, { params }),
  })
  const changeable = broadcast.state === 'draft' || broadcast.state === 'halted'
  const out = broadcast.counts.accepted ?? 0
  return (
    <ObjectLayout
      panel={{
        Agreement: (
          <AgreementOf
            kind="broadcast"
            objectId={broadcast.id}
            canAsk={changeable}
            {...(changeable ? {} : { whyNot: 'It went out already.' })}
          />
        ),
        Audit: <AuditOf kind="broadcast" id={broadcast.id} />,
      }}
    >
      <Page
        title={broadcast.name}
        crumbs={[{ label: 'Campaigns', to: '/campaigns' }, { label: `Version ${String(broadcast.version)}` }]}
        sentence={<Timed text={broadcast.sentence} />}
        actions={
          <>
            {broadcast.state === 'live' ? (
              <Button
                variant="default"
                loading={pause.isPending}
                onClick={() => {
                  pause.mutate({ params })
                }}
              >
                Pause
              </Button>
            ) : null}
            {broadcast.state === 'paused' ? (
              <Button
                variant="default"
                loading={resume.isPending}
                onClick={() => {
                  resume.mutate({ params })
                }}
              >
                Go on
              </Button>
            ) : null}
            {broadcast.launchedAt === null ? null : (
              <Button component={Link} to={`/campaigns/${broadcast.id}/report`} variant="default">
                See the report
              </Button>
            )}
            {changeable ? (
              <Button
                variant="default"
                onClick={() => {
                  setEditing(true)
                }}
              >
                Change it
              </Button>
            ) : null}
            {changeable ? (
              <Button
                onClick={() => {
                  put({ tab: 'agreement' })
                }}
              >
                See what it needs, and ask
              </Button>
            ) : null}
          </>
        }
      >
        {broadcast.state === 'live' && broadcast.audience !== null ? (
          <Progress
            aria-label="Messages with an end, of all"
            value={
              (1 -
                ((broadcast.counts.planned ?? 0) + (broadcast.counts.claimed ?? 0)) / Math.max(1, broadcast.audience)) *
              100
            }
            animated
          />
        ) : null}
        <div className="cards">
          <Card title="What it is">
            <Facts
              rows={[
                {
                  label: 'Mail',
                  says: <Link to={`/content/${broadcast.template.id}`}>{broadcast.template.name}</Link>,
                },
                { label: 'To', says: <Link to={`/segments/${broadcast.segment.id}`}>{broadcast.segment.name}</Link> },
                { label: 'About', says: broadcast.topic.name },
                { label: 'From', says: broadcast.sender.name },
                { label: 'When', says: broadcast.sendAt === null ? 'as soon as it may' : <At at={broadcast.sendAt} /> },
              ]}
            />
          </Card>
          {broadcast.audience === null && out === 0 ? null : (
            <Card title="The ledger" aside={<Link to={`/campaigns/${broadcast.id}/messages`}>every message</Link>}>
              <Facts
                rows={[
                  {
                    label: 'Audience',
                    says: broadcast.audience === null ? 'being planned' : <b>{count(broadcast.audience)}</b>,
                  },
                  ...(Object.entries(broadcast.counts) as [MessageState, number][]).map(([state, value]) => ({
                    key: state,
                    label: <Meant means={messageStates[state].means}>{messageStates[state].label}</Meant>,
                    says: count(value),
                  })),
                ]}
              />
            </Card>
          )}
        </div>
        <Seen id={broadcast.template.id} />
        <Modal
          opened={editing}
          onClose={() => {
            setEditing(false)
          }}
          title="Change the broadcast"
        >
          <Form
            start={broadcast}
            close={() => {
              setEditing(false)
            }}
          />
        </Modal>
      </Page>
    </ObjectLayout>
  )
}

/** The mail as it stands now, for nobody in particular. */
function Seen({ id }: { id: string }) {
  const template = useRoute(content.get, { params: { id } })
  const body = template.data?.body
  const made = useRoute(content.preview, body === undefined ? {} : { body: { body } }, { enabled: body !== undefined })
  if (made.data === undefined) return null
  return (
    <Card title={made.data.subject} aside={<Link to={`/content/${id}`}>as a real person gets it</Link>}>
      <MailFrame html={made.data.html} height={420} />
    </Card>
  )
}

function Form({ start, close }: { start?: Broadcast; close?: () => void }) {
  const navigate = useNavigate()
  const search: { segment?: string } = useSearch({ strict: false })
  const templates = useRoute(content.list)
  const groups = useRoute(segments.list)
  const senders = useRoute(channels.senders)
  const topics = useRoute(consent.topics)
  const create = useDeed(routes.create, { touches })
  const change = useDeed(routes.change, { touches, done: 'Changed. Keys that were on it fell out.' })
  const [name, setName] = useState(start?.name ?? '')
  const [templateId, setTemplate] = useState<string | null>(start?.template.id ?? null)
  const [segmentId, setSegment] = useState<string | null>(start?.segment.id ?? search.segment ?? null)
  const [senderId, setSender] = useState<string | null>(start?.sender.id ?? null)
  const [topicId, setTopic] = useState<string | null>(start?.topic.id ?? null)
  const [at, setAt] = useState(start?.sendAt === null || start === undefined ? '' : local(start.sendAt))
  const sender = senderId ?? senders.data?.[0]?.id ?? null
  const lacking = [
    ...(name.trim() === '' ? ['a name'] : []),
    ...(segmentId === null ? ['a segment'] : []),
    ...(templateId === null ? ['a mail'] : []),
    ...(topicId === null ? ['a topic'] : []),
    ...(sender === null ? ['a sender'] : []),
  ]
  const complete =
    name.trim() !== '' && templateId !== null && segmentId !== null && sender !== null && topicId !== null
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!complete) return
    const body = {
      name,
      templateId,
      segmentId,
      senderId: sender,
      topicId,
      sendAt: at === '' ? null : new Date(at).toISOString(),
    }
    if (start === undefined)
      create.mutate({ body }, { onSuccess: (made) => void navigate({ to: `/campaigns/${made.id}` }) })
    else change.mutate({ params: { id: start.id }, body }, { onSuccess: () => close?.() })
  }
  return (
    <form className="stack" onSubmit={submit}>
      <TextInput
        label="Name"
        placeholder="Autumn light to recent customers"
        required
        value={name}
        onChange={(event) => {
          setName(event.currentTarget.value)
        }}
      />
      <Select
        label="To the people of"
        placeholder="A segment"
        required
        searchable
        data={(groups.data ?? [])
          .filter((one) => !one.archived)
          .map((one) => ({ value: one.id as string, label: one.name }))}
        value={segmentId}
        onChange={setSegment}
        {...missing(
          groups.data?.every((one) => one.archived),
          'There is no segment yet.',
          '/segments/new',
          'Make one',
        )}
      />
      <Select
        label="The mail"
        placeholder="A mail"
        required
        searchable
        data={(templates.data ?? []).map((one) => ({ value: one.id as string, label: one.name }))}
        value={templateId}
        onChange={setTemplate}
        {...missing(templates.data?.length === 0, 'There is no mail yet.', '/content/new', 'Write one')}
      />
      <Select
        label="About the topic"
        placeholder="A topic"
        required
        data={(topics.data ?? []).map((one) => ({
          value: one.id,
          label: `${one.name} (${count(one.granted)} agreed)`,
        }))}
        value={topicId}
        onChange={setTopic}
        {...missing(
          topics.data?.length === 0,
          'There is no topic yet.',
          '/settings/topics',
          'Add one',
          'Only addresses that agreed to it get the mail.',
        )}
      />
      <Select
        label="From"
        placeholder="A sender"
        required
        data={(senders.data ?? []).map((one) => ({ value: one.id as string, label: `${one.name} <${one.address}>` }))}
        value={sender}
        onChange={setSender}
        {...missing(senders.data?.length === 0, 'There is no sender yet.', '/settings/senders', 'Add one in Settings')}
      />
      <TextInput
        label="When"
        description="Empty: as soon as it may. Your own time zone."
        type="datetime-local"
        value={at}
        onChange={(event) => {
          setAt(event.currentTarget.value)
        }}
      />
      <div>
        <Button type="submit" disabled={!complete} loading={create.isPending || change.isPending}>
          {start === undefined ? 'Make it' : 'Save'}
        </Button>
        {complete ? null : <p className="secondary">It still needs {lacking.join(', ')}.</p>}
      </div>
    </form>
  )
}
/** What a choice says when there is nothing to choose, and where that is made; otherwise what it always says. */
function missing(nothing: boolean | undefined, says: string, to: string, make: string, always?: string) {
  if (nothing !== true) return always === undefined ? {} : { description: always }
  return {
    description: (
      <>
        {says} <Link to={to}>{make}</Link>
      </>
    ),
  }
}
function local(iso: string): string {
  const at = new Date(iso)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
