import { Button } from '@mantine/core'
import { AuditOf } from '../../audit/web/index.tsx'
import { routes as consent } from '../../consent/contract.ts'
import { HowWeKnow } from '../../identity/web/index.tsx'
import { Pager, useAddress } from '../../../ui/address.tsx'
import { call, useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, calledOf } from '../../../ui/format.tsx'
import { Ask, Card, Facts, ObjectLayout, Page, useParam } from '../../../ui/page.tsx'
import { usePanels } from '../../../ui/panels.tsx'
import { FieldChip, Mark } from '../../../ui/signal.tsx'
import { routes, type Person } from '../contract.ts'

/** One person: who, how we know, what they did, what they agreed to. */
export function PersonPage() {
  const id = useParam('id')
  const found = useRoute(routes.get, { params: { id } })
  const panels = usePanels('person', id)
  return (
    <Ask of={found} shape="page">
      {(person) => (
        <ObjectLayout
          panel={{
            'How we know': <HowWeKnow id={person.id} />,
            ...panels,
            Consent: <ConsentOf person={person} />,
            Audit: <AuditOf kind="profile" id={person.id} />,
          }}
        >
          <Page
            title={calledOf(person)}
            crumbs={[{ label: 'People', to: '/people' }]}
            sub={[person.email, person.phone, person.timeZone].filter((part) => part !== null).join(' · ')}
            sentence={
              <>
                First seen <Ago at={person.firstSeenAt} />, last seen <Ago at={person.lastSeenAt} />.
              </>
            }
          >
            <Card title="What we know" aside="with where each comes from">
              {person.traits.length === 0 ? (
                <p className="secondary">Nothing yet but that somebody was here.</p>
              ) : (
                <Facts
                  rows={person.traits.map((trait) => ({
                    key: trait.name,
                    label: <FieldChip label={trait.label} sensitivity={trait.sensitivity} />,
                    says: (
                      <>
                        {text(trait.value)}
                        <br />
                        <span className="secondary">
                          {trait.sourceName}, <Ago at={trait.at} />
                          {trait.others === 0
                            ? ''
                            : `; ${String(trait.others)} other ${trait.others === 1 ? 'source says' : 'sources say'} something else`}
                        </span>
                      </>
                    ),
                  }))}
                />
              )}
            </Card>
            <Timeline id={person.id} />
          </Page>
        </ObjectLayout>
      )}
    </Ask>
  )
}

function text(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'object' && value !== null)
    return Object.values(value as Record<string, unknown>)
      .filter((part) => typeof part === 'string' || typeof part === 'number')
      .join(', ')
  return JSON.stringify(value)
}

function Timeline({ id }: { id: Person['id'] }) {
  const [{ before }] = useAddress()
  const found = useRoute(
    routes.timeline,
    { params: { id }, query: before === undefined ? {} : { before } },
    { keep: true },
  )
  return (
    <Card title="What happened" aside="over all sources, newest first">
      <Ask of={found}>
        {({ events, next }) => (
          <>
            {events.length === 0 ? <p className="secondary">Nothing yet.</p> : null}
            <ul className="timeline">
              {events.map((event) => (
                <li key={`${event.sourceId} ${event.messageId}`}>
                  <span className="secondary">
                    <Ago at={event.time} />
                  </span>
                  <div>
                    <b>{event.name === '' ? event.type : event.name}</b>{' '}
                    <span className="secondary">{event.sourceName}</span>
                    <div className="props">{propertiesOf(event.properties)}</div>
                  </div>
                </li>
              ))}
            </ul>
            <Pager word="before" next={next} />
          </>
        )}
      </Ask>
    </Card>
  )
}
function propertiesOf(properties: Record<string, unknown>): string {
  return Object.entries(properties)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    .slice(0, 6)
    .map(([name, value]) => `${name.replaceAll('_', ' ')}: ${String(value).slice(0, 60)}`)
    .join(' · ')
}

function ConsentOf({ person }: { person: Person }) {
  const standing = useRoute(
    consent.standing,
    { query: { email: person.email ?? '' } },
    { enabled: person.email !== null },
  )
  const email = person.email ?? ''
  const touches = ['/api/consent', '/api/audit']
  const suppress = useDeed(consent.suppress, {
    touches,
    done: 'This address gets nothing any more.',
    undo: () => () => call(consent.lift, { body: { email, scope: '*', because: 'put here by mistake' } }),
  })
  const lift = useDeed(consent.lift, {
    touches,
    done: 'Taken back; what the person agreed to counts again.',
    undo: (_now, sent) =>
      sent.body?.scope === '*' ? () => call(consent.suppress, { body: { email, scope: '*' } }) : undefined,
  })
  if (person.email === null)
    return <p className="secondary">No e-mail address is known, so there is nothing to agree to.</p>
  return (
    <Ask of={standing}>
      {(now) => (
        <div className="stack">
          <Facts
            rows={now.topics.map((topic) => ({
              key: topic.id,
              label: topic.name,
              says: topic.mailable ? (
                <Mark is="ok">
                  may be mailed, since <Ago at={topic.since} />
                </Mark>
              ) : topic.state === 'granted' ? (
                <Mark is="warn">agreed, but suppressed</Mark>
              ) : topic.state === null ? (
                'never asked'
              ) : (
                topic.state
              ),
            }))}
          />
          {now.suppressions.map((one) => (
            <p key={one.scope}>
              <Mark is="warn">
                {one.scope === '*'
                  ? 'Gets nothing at all'
                  : one.scope === 'marketing'
                    ? 'Gets no marketing'
                    : `Gets nothing about ${one.scope}`}
                : {one.reason}, <Ago at={one.at} />
              </Mark>{' '}
              {one.reason === 'by hand' ? (
                <Button
                  size="compact-sm"
                  variant="default"
                  loading={lift.isPending}
                  onClick={() => {
                    lift.mutate({ body: { email, scope: one.scope, because: 'put here by mistake' } })
                  }}
                >
                  Take it back
                </Button>
              ) : null}
            </p>
          ))}
          {now.suppressions.some((one) => one.scope === '*') ? null : (
            <div>
              <Button
                size="compact-sm"
                variant="default"
                loading={suppress.isPending}
                onClick={() => {
                  suppress.mutate({ body: { email, scope: '*' } })
                }}
              >
                Send nothing to this address
              </Button>
            </div>
          )}
          <h3>Proof</h3>
          <ul className="history">
            {now.records.map((record) => (
              <li key={`${record.at} ${record.topic} ${record.state}`}>
                {record.topic}: {record.state} ({record.basis}, {record.source})<br />
                <span className="secondary">
                  <Ago at={record.at} />
                  {record.proof === null || record.basis === 'own_choice' ? null : `, ${record.proof}`}
                </span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Ask>
  )
}
