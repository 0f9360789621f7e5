import { Button, NumberInput, PasswordInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { AuditOf } from '../../audit/web/index.tsx'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, count, plural } from '../../../ui/format.tsx'
import { Fresh } from '../../../ui/freshness.tsx'
import { Ask, Card, Facts, ObjectLayout, Page, Table, useParam } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { SureButton } from '../../../ui/sure.tsx'
import { deliveryReasons, routes, schemeKinds, type Hook } from '../contract.ts'
import { MappingCard } from './MappingCard.tsx'
import { SchemeFields } from './SchemeFields.tsx'
import { touches } from './WebhooksPage.tsx'

/** One inbound webhook: its address, how it is signed, what came, and what it means. */
export function WebhookPage() {
  const id = useParam('id')
  const found = useRoute(routes.get, { params: { id } }, { everyMs: 4_000 })
  return (
    <Ask of={found} shape="page">
      {(hook) => <Shown hook={hook} />}
    </Ask>
  )
}

function Shown({ hook }: { hook: Hook }) {
  const params = { id: hook.id }
  const navigate = useNavigate()
  const remove = useDeed(routes.remove, { touches, done: 'Closed. What came in stays.' })
  return (
    <ObjectLayout panel={{ Audit: <AuditOf kind="hook" id={hook.id} /> }}>
      <Page
        title={hook.name}
        crumbs={[
          { label: 'Sources', to: '/sources' },
          { label: 'Webhooks', to: '/webhooks' },
        ]}
        sub={`Into “${hook.sourceName}”, signed by ${schemeKinds[hook.scheme.kind]}, opened by ${hook.createdBy}.`}
        sentence={sentenceOf(hook)}
      >
        {hook.scheme.kind === 'none' ? (
          <p>
            <Mark is="warn">It is not signed: whoever knows the address can say anything about anybody.</Mark>
          </p>
        ) : null}
        <Card title="Where it sends">
          <pre>
            <code>{hook.url}</code>
          </pre>
          <div className="row">
            <Button size="xs" variant="default" onClick={() => void navigator.clipboard.writeText(hook.url)}>
              Copy the address
            </Button>
            <span className="secondary">Method POST, JSON. What is answered with 200 is on disk here.</span>
          </div>
        </Card>
        <Counted hook={hook} />
        <Deliveries hook={hook} />
        <MappingCard key={hook.version} hook={hook} />
        <Signing hook={hook} />
        <Promised hook={hook} />
        <div className="row">
          <SureButton
            label="Close this webhook"
            says="Its address answers no more; its secrets and the bodies that were kept are deleted. What came in stays."
            onSure={() => {
              remove.mutate({ params }, { onSuccess: () => void navigate({ to: '/webhooks' }) })
            }}
          />
        </div>
      </Page>
    </ObjectLayout>
  )
}

function sentenceOf({ counts, freshness, waitingAside }: Hook): string {
  if (freshness.missed)
    return `It is silent for longer than the ${plural(freshness.promiseHours ?? 0, 'hour', 'hours')} that were promised.`
  if (counts.received === 0)
    return 'Nothing has come yet. Give the address and the secret to the sender and let it send a test.'
  const aside = waitingAside === 0 ? 'nothing is put aside' : `${plural(waitingAside, 'is', 'are')} put aside`
  return `${count(counts.received)} came: ${count(counts.taken)} went in as ${plural(counts.calls, 'call', 'calls')}, ${aside}.`
}

const sayings: Readonly<Record<string, string>> = deliveryReasons

function Counted({ hook }: { hook: Hook }) {
  if (hook.counts.received === 0) return null
  return (
    <Card title="What became of what came" aside="received = went in + unchanged + put aside + rejected">
      <div className="numbers">
        {(
          [
            ['received', 'Received'],
            ['taken', 'Went in'],
            ['unchanged', 'Unchanged'],
            ['aside', 'Put aside'],
            ['rejected', 'Rejected'],
          ] as const
        ).map(([key, label]) => (
          <div key={key}>
            <b>{count(hook.counts[key])}</b>
            <span className="secondary">{label}</span>
          </div>
        ))}
      </div>
      <Facts
        rows={hook.counts.reasons.map((one) => ({
          label: count(one.deliveries),
          says: `${sayings[one.reason] ?? one.reason}${one.outcome === 'rejected' ? ' (rejected)' : ''}`,
          key: `${one.outcome} ${one.reason}`,
        }))}
      />
    </Card>
  )
}

function Deliveries({ hook }: { hook: Hook }) {
  const params = { id: hook.id }
  const found = useRoute(routes.deliveries, { params }, { everyMs: 4_000 })
  const replay = useDeed(routes.replay, {
    touches,
    done: ({ looked, taken }) =>
      `${plural(looked, 'delivery was', 'deliveries were')} looked at, ${count(taken)} went in.`,
  })
  if (found.data?.length === 0) return null
  return (
    <Card
      title="Last deliveries"
      aside={
        hook.waitingAside === 0 ? (
          'put aside is kept for 30 days'
        ) : (
          <Button
            size="xs"
            loading={replay.isPending}
            onClick={() => {
              replay.mutate({ params })
            }}
          >
            Look again at what is put aside
          </Button>
        )
      }
    >
      <Ask of={found} shape="table">
        {(rows) => (
          <Table label="Last deliveries" head={['Came', 'About', 'Became', 'Calls']} right={[3]}>
            {rows.map((row) => (
              <tr key={row.id}>
                <td>
                  <Ago at={row.receivedAt} />
                </td>
                <td>{row.topic === '' ? '–' : <code>{row.topic}</code>}</td>
                <td>
                  {row.state === 'taken' ? (
                    <Mark is="ok">{row.because ?? 'went in'}</Mark>
                  ) : (
                    <Mark is={row.state === 'unverified' ? 'fail' : 'warn'}>{row.because ?? sayings[row.state]}</Mark>
                  )}
                </td>
                <td className="right">{count(row.calls)}</td>
              </tr>
            ))}
          </Table>
        )}
      </Ask>
    </Card>
  )
}

function Signing({ hook }: { hook: Hook }) {
  const params = { id: hook.id }
  const [scheme, setScheme] = useState(hook.scheme)
  const [secret, setSecret] = useState('')
  const change = useDeed(routes.change, { touches, done: 'Kept.' })
  const give = useDeed(routes.secret, { touches, done: 'Kept. The secret of before stays good until you drop it.' })
  const drop = useDeed(routes.dropSecret, { touches, done: 'Forgotten.' })
  return (
    <Card
      title="How it is signed"
      aside={
        hook.secrets.length === 0 ? 'no secret' : `${plural(hook.secrets.length, 'secret', 'secrets')}, never shown`
      }
    >
      <div className="stack">
        <SchemeFields value={scheme} onChange={setScheme} />
        <div className="row">
          <Button
            variant="default"
            loading={change.isPending}
            onClick={() => {
              change.mutate({ params, body: { scheme } })
            }}
          >
            Keep the scheme
          </Button>
        </div>
        <Facts
          rows={hook.secrets.map(({ since }, at) => ({
            label: at === 0 ? 'Secret in use' : 'The one before',
            says: (
              <>
                since <Ago at={since} />
              </>
            ),
          }))}
        />
        <PasswordInput
          label="A new secret"
          description="Both are good until you drop the older one, so the sender can change over without a gap."
          autoComplete="off"
          value={secret}
          onChange={(event) => {
            setSecret(event.currentTarget.value)
          }}
        />
        <div className="row">
          <Button
            variant="default"
            disabled={secret.trim().length < 8}
            title={secret.trim().length < 8 ? 'At least 8 characters.' : undefined}
            loading={give.isPending}
            onClick={() => {
              give.mutate(
                { params, body: { secret } },
                {
                  onSuccess: () => {
                    setSecret('')
                  },
                },
              )
            }}
          >
            Give it
          </Button>
          {hook.secrets.length > 1 ? (
            <SureButton
              label="Drop the older secret"
              says="What the sender still signs with it is put aside as not verified."
              loading={drop.isPending}
              onSure={() => {
                drop.mutate({ params })
              }}
            />
          ) : null}
        </div>
      </div>
    </Card>
  )
}

function Promised({ hook }: { hook: Hook }) {
  const [hours, setHours] = useState<number | string>(hook.freshness.promiseHours ?? '')
  const save = useDeed(routes.change, { touches, done: 'Kept.' })
  return (
    <Card title="How long it may be silent" aside={<Fresh of={hook.freshness} />}>
      <div className="fields">
        <NumberInput
          label="Something comes at least every so many hours"
          description="Shown in red here and in /metrics when missed; empty promises nothing."
          min={1}
          max={8760}
          value={hours}
          onChange={setHours}
        />
      </div>
      <div className="row">
        <Button
          variant="default"
          loading={save.isPending}
          onClick={() => {
            save.mutate({ params: { id: hook.id }, body: { promiseHours: hours === '' ? null : Number(hours) } })
          }}
        >
          Keep the promise
        </Button>
      </div>
    </Card>
  )
}
