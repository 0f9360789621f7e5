import { Button, Modal } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { AuditOf } from '../../audit/web/index.tsx'
import { AgreementOf } from '../../requests/web/index.tsx'
import { routes as sources } from '../../sources/contract.ts'
import { call, useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, count, Meant, plural, Timed } from '../../../ui/format.tsx'
import { Bars } from '../../../ui/chart.tsx'
import { Ask, Card, Facts, ObjectLayout, Page, Table, useParam } from '../../../ui/page.tsx'
import { FieldChip, Lamp } from '../../../ui/signal.tsx'
import { sensitivityOf } from '../../../lib/sensitivity/sensitivity.ts'
import { frequencies, routes, type DestinationDetail } from '../contract.ts'
import { ChangeForm } from './ChangeForm.tsx'
import { wordsOf } from './ContractForm.tsx'
import { DeadLetters } from './DeadLetters.tsx'
import { SecretNote } from './SecretNote.tsx'
import { TestDelivery } from './TestDelivery.tsx'

const touches = ['/api/destinations', '/api/requests', '/api/audit']

/** One destination: what may leave, who agreed, what left, what stayed, and what failed. */
export function DestinationPage() {
  const id = useParam('id') as never
  const found = useRoute(routes.get, { params: { id } }, { everyMs: 5_000 })
  return (
    <Ask of={found} shape="page">
      {(destination) => <Shown destination={destination} />}
    </Ask>
  )
}

function Shown({ destination }: { destination: DestinationDetail }) {
  const { id, counts } = destination
  const [editing, setEditing] = useState(false)
  const [secret, setSecret] = useState<string | undefined>()
  const pause = useDeed(routes.pause, {
    touches,
    done: 'Paused. Events wait.',
    undo: (now) => () => call(routes.resume, { params: { id: now.id } }),
  })
  const resume = useDeed(routes.resume, {
    touches,
    done: 'It goes on.',
    undo: (now) => () => call(routes.pause, { params: { id: now.id } }),
  })
  const rotate = useDeed(routes.rotate, { touches })
  const kinds = useRoute(routes.kinds)
  const labels = new Map(
    kinds.data?.find((one) => one.kind === destination.kind)?.form.map((setting) => [setting.name, setting.label]),
  )
  const canAsk = destination.state === 'draft' || destination.state === 'halted'
  return (
    <>
      <ObjectLayout
        panel={{
          Agreement: (
            <AgreementOf
              kind="integration"
              objectId={id}
              canAsk={canAsk}
              whyNot="It is agreed. A change of address or contract ends the agreement; then it is asked for anew."
            />
          ),
          Audit: <AuditOf kind="destination" id={id} />,
        }}
      >
        <Page
          title={destination.name}
          crumbs={[{ label: 'Destinations', to: '/destinations' }, { label: destination.kindName }]}
          sub={
            <>
              belongs to the tool <Link to={`/tools/${destination.tool.id}`}>{destination.tool.name}</Link>, whose data
              is in {destination.tool.region}
            </>
          }
          sentence={<Timed text={destination.sentence} />}
          actions={
            <>
              {destination.state === 'live' ? (
                <Button
                  variant="default"
                  loading={pause.isPending}
                  onClick={() => {
                    pause.mutate({ params: { id } })
                  }}
                >
                  Pause
                </Button>
              ) : null}
              {destination.state === 'paused' ? (
                <Button
                  loading={resume.isPending}
                  onClick={() => {
                    resume.mutate({ params: { id } })
                  }}
                >
                  Go on
                </Button>
              ) : null}
              <Button
                variant="default"
                onClick={() => {
                  setEditing(true)
                }}
              >
                Change it
              </Button>
            </>
          }
        >
          <Standing destination={destination} />
          <Card>
            <div className="numbers">
              {(
                [
                  [
                    'delivered',
                    'Delivered',
                    'The receiver took it. One that comes again after a restart counts again.',
                  ],
                  ['waiting', 'Waiting', 'Stored and kept for delivery, for at most seven days.'],
                  [
                    'deadLetters',
                    'Dead letters',
                    'Could not be delivered; kept for 30 days with the reason, and can be tried again.',
                  ],
                  ['dropped', 'Values that stayed', 'Fields that delivered events had and the contract does not name.'],
                  ['expired', 'Expired', 'Waited longer than seven days and were let go of.'],
                ] as const
              ).map(([key, label, means]) => (
                <div key={key}>
                  <b>{count(counts[key])}</b>
                  <span className="secondary">
                    <Meant means={means}>{label}</Meant>
                  </span>
                </div>
              ))}
            </div>
          </Card>
          <div className="cards">
            <ContractCard destination={destination} />
            <Card
              title="Where to"
              aside={
                destination.secrets.some((one) => one.name === 'signingSecret') ? (
                  <Button
                    size="compact-sm"
                    variant="default"
                    loading={rotate.isPending}
                    onClick={() => {
                      rotate.mutate(
                        { params: { id }, body: { name: 'signingSecret' } },
                        {
                          onSuccess: (made) => {
                            setSecret(made.secret)
                          },
                        },
                      )
                    }}
                  >
                    New signing secret
                  </Button>
                ) : undefined
              }
            >
              <Facts
                rows={[
                  ...Object.entries(destination.settings).map(([name, value]) => ({
                    key: name,
                    label: labels.get(name) ?? name,
                    says: <span className="breaks">{String(value)}</span>,
                  })),
                  ...destination.secrets.map((one) => ({
                    key: one.name,
                    label: labels.get(one.name) ?? one.name,
                    says: !one.set ? (
                      'not set'
                    ) : one.olderUntil === null ? (
                      'set, never shown'
                    ) : (
                      <>
                        two count: the older one ends <Ago at={one.olderUntil} />
                      </>
                    ),
                  })),
                  { label: 'Last delivery', says: <Ago at={destination.lastDeliveredAt} /> },
                  {
                    label: 'Oldest that waits',
                    says:
                      destination.oldestWaitingAt === null ? (
                        <span className="secondary">nothing waits</span>
                      ) : (
                        <Ago at={destination.oldestWaitingAt} />
                      ),
                  },
                ]}
              />
              <div className="below">
                <TestDelivery id={id as never} />
              </div>
            </Card>
          </div>
          <Card>
            <Bars label="Deliveries an hour, last two days" unit="deliveries" bars={lastHours(destination)} />
          </Card>
          <Dropped destination={destination} />
          <Failures destination={destination} />
          <DeadLetters destination={destination} />
        </Page>
      </ObjectLayout>
      {/* Beside the layout, which is another tree on a narrow screen: what was typed survives a turned phone. */}
      <Modal
        opened={editing}
        onClose={() => {
          setEditing(false)
        }}
        title={`Change ${destination.name}`}
        // A click beside a long form must not throw away what was typed.
        closeOnClickOutside={false}
        size="lg"
      >
        <ChangeForm
          destination={destination}
          close={() => {
            setEditing(false)
          }}
        />
      </Modal>
      <Modal
        opened={secret !== undefined}
        onClose={() => {
          setSecret(undefined)
        }}
        title="The new signing secret"
      >
        {secret === undefined ? null : (
          <>
            <p className="secondary">The one before signs too for a day, so that the receiver has time to change.</p>
            <SecretNote
              secret={secret}
              close={() => {
                setSecret(undefined)
              }}
            />
          </>
        )}
      </Modal>
    </>
  )
}

/** The last 48 hours, the present one last, empty ones too. */
function lastHours({ hours }: DestinationDetail) {
  const delivered = new Map(hours.map((hour) => [Date.parse(hour.hour), hour.delivered]))
  const now = Math.max(Math.floor(Date.now() / 3_600_000) * 3_600_000, ...delivered.keys())
  return Array.from({ length: 48 }, (_none, at) => {
    const hour = now - (47 - at) * 3_600_000
    return {
      label: new Date(hour).toLocaleString('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' }),
      value: delivered.get(hour) ?? 0,
    }
  })
}

const keyWords = { marketing: 'Marketing', it: 'IT', protection: 'data protection' } as const

/** How far the agreement is, while it is not live. */
function Standing({ destination }: { destination: DestinationDetail }) {
  const { request } = destination
  if (request === null || destination.state === 'live') return null
  const missing = request.waitingFor.map((kind) => keyWords[kind])
  return (
    <Card title="The agreement" aside={<Link to={`/requests/${request.id}`}>to the request</Link>}>
      <div className="row">
        <Lamp lane={request.lane} />
        <span>{request.sentence}</span>
      </div>
      {missing.length > 0 ? <p className="secondary">Keys that are missing: {missing.join(', ')}.</p> : null}
    </Card>
  )
}

function ContractCard({ destination }: { destination: DestinationDetail }) {
  const { contract } = destination
  const list = useRoute(sources.list)
  const nameOf = (id: string) => list.data?.sources.find((one) => one.id === id)?.name ?? 'a source'
  return (
    <Card title="The contract" aside={frequencies[contract.frequency]}>
      <Facts
        rows={[
          { label: 'For', says: contract.purpose },
          {
            label: 'From',
            says: contract.sources.map((source, at) => (
              <span key={source}>
                {at > 0 ? ', ' : ''}
                <Link to={`/sources/${source}`}>{nameOf(source)}</Link>
              </span>
            )),
          },
          { label: 'Events', says: contract.events.map(wordsOf).join(', ') },
          {
            label: 'Fields',
            says:
              contract.fields.length === 0
                ? 'none: key, type, name and time of each event'
                : contract.fields.map((path) => (
                    <FieldChip
                      key={path}
                      label={path}
                      sensitivity={sensitivityOf(path.replace(/^(traits|properties|context)[.]/, ''))}
                    />
                  )),
          },
        ]}
      />
    </Card>
  )
}

function Dropped({ destination: { dropped } }: { destination: DestinationDetail }) {
  const [all, setAll] = useState(false)
  if (dropped.length === 0) return null
  const shown = all ? dropped : dropped.slice(0, 10)
  return (
    <Card
      title="What stayed here"
      aside={`${plural(dropped.length, 'field', 'fields')} that the contract does not name`}
    >
      <Table label="Dropped by contract" head={['Dropped by contract', 'Events', 'Last']} right={[1]}>
        {shown.map((one) => (
          <tr key={one.field}>
            <td className="breaks">{one.field}</td>
            <td className="right">{count(one.events)} times</td>
            <td>
              <Ago at={one.lastAt} />
            </td>
          </tr>
        ))}
      </Table>
      {dropped.length > shown.length ? (
        <Button
          variant="default"
          size="compact-sm"
          onClick={() => {
            setAll(true)
          }}
        >
          Show all {count(dropped.length)}
        </Button>
      ) : null}
    </Card>
  )
}

function Failures({ destination: { failures } }: { destination: DestinationDetail }) {
  if (failures.length === 0) return null
  return (
    <Card title="Why tries failed" aside="each is tried again, or has become a dead letter">
      <Table label="Reasons of failed tries" head={['Reason', 'Times', 'Last']} right={[1]}>
        {failures.map((one) => (
          <tr key={one.reason}>
            <td>{one.reason}</td>
            <td className="right">{count(one.times)}</td>
            <td>
              <Ago at={one.lastAt} />
            </td>
          </tr>
        ))}
      </Table>
    </Card>
  )
}
