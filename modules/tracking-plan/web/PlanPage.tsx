import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import { AuditOf } from '../../audit/web/index.tsx'
import { routes as sources, type Source } from '../../sources/contract.ts'
import { call, useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, count, plural } from '../../../ui/format.tsx'
import { Ask, Card, Empty, ObjectLayout, Page, useParam } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { keyOf, routes, type Plan, type PlannedEvent, type SeenEvent } from '../contract.ts'
import { EventEditor } from './EventEditor.tsx'
import { PlannedEvents, SeenEvents } from './Events.tsx'
import { Modes, Owners } from './Rules.tsx'
import { emptyPlan, touches, useSavePlan } from './saving.ts'

/** The data contract of a source: what is planned beside what arrives, and what happens to what violates it. */
export function PlanPage() {
  const id = useParam('id') as Source['id']
  const source = useRoute(sources.get, { params: { id } })
  const found = useRoute(routes.get, { params: { sourceId: id } })
  return (
    <Ask of={source} shape="page">
      {(one) => (
        <Ask of={found} shape="page">
          {({ plan, owners, versions }) => (
            <Whole source={one} plan={plan}>
              {(edit) => (
                <ObjectLayout
                  panel={{
                    Versions: (
                      <ul className="plain-list">
                        {versions.length === 0 ? <li className="secondary">None is saved yet.</li> : null}
                        {versions.map((version) => (
                          <li key={version.version}>
                            <b>{version.version}</b> {version.note === '' ? 'saved' : version.note}
                            <br />
                            <span className="secondary">
                              {owners[version.savedBy] ?? 'the command line'}, <Ago at={version.savedAt} />,{' '}
                              {plural(version.events, 'event', 'events')}
                            </span>
                          </li>
                        ))}
                      </ul>
                    ),
                    Audit: <AuditOf kind="source" id={id} />,
                  }}
                >
                  <PlanOf source={one} plan={plan} edit={edit} />
                </ObjectLayout>
              )}
            </Whole>
          )}
        </Ask>
      )}
    </Ask>
  )
}

const isSame = (one: PlannedEvent, other: PlannedEvent | undefined) =>
  other !== undefined && keyOf(one) === keyOf(other)

type Edit = (before: PlannedEvent | undefined) => void

/** The page and the editor over it, which stays open when the window becomes narrow. */
function Whole(props: { source: Source; plan: Plan | null; children: (edit: Edit) => ReactNode }) {
  const [editing, setEditing] = useState<{ before: PlannedEvent | undefined } | undefined>()
  const { busy, save } = useSavePlan(props.source.id, props.plan)
  const content = props.plan?.content ?? emptyPlan
  return (
    <>
      {props.children((before) => {
        setEditing({ before })
      })}
      {editing === undefined ? null : (
        <EventEditor
          before={editing.before}
          others={content.events.filter((event) => !isSame(event, editing.before))}
          busy={busy}
          close={() => {
            setEditing(undefined)
          }}
          save={(event) => {
            const events =
              editing.before === undefined
                ? [...content.events, event]
                : content.events.map((one) => (isSame(one, editing.before) ? event : one))
            save({ ...content, events }, editing.before === undefined ? 'Planned an event' : 'Changed an event', () => {
              setEditing(undefined)
            })
          }}
        />
      )}
    </>
  )
}

function PlanOf({ source, plan, edit }: { source: Source; plan: Plan | null; edit: Edit }) {
  const sourceId = source.id
  const seen = useRoute(routes.seen, { params: { sourceId } }, { everyMs: 5_000 })
  const recent = useRoute(routes.violations, { params: { sourceId }, query: { period: 'day' } }, { everyMs: 5_000 })
  const { busy, save } = useSavePlan(sourceId, plan)
  const adopt = useDeed(routes.adopt, {
    touches,
    done: (now) => `${now.note}: version ${String(now.version)} is in force.`,
  })
  const content = plan?.content ?? emptyPlan
  const client = async () => {
    const made = await call(routes.client, { params: { sourceId } })
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([made.text], { type: 'text/plain' }))
    link.download = made.fileName
    link.click()
    URL.revokeObjectURL(link.href)
  }
  const adoptSome = (events: readonly SeenEvent[] | 'all') => {
    adopt.mutate({
      params: { sourceId },
      body: { events: events === 'all' ? events : events.map(({ type, name }) => ({ type, name })) },
    })
  }
  return (
    <Page
      title={`Tracking plan of ${source.name}`}
      tabTitle={`Tracking plan: ${source.name}`}
      crumbs={[
        { label: 'Sources', to: '/sources' },
        { label: source.name, to: `/sources/${sourceId}` },
        { label: 'Tracking plan' },
      ]}
      actions={
        <>
          <Button component={Link} to={`/sources/${sourceId}/violations`} variant="default">
            Violations
          </Button>
          <Button
            variant="default"
            disabled={plan === null}
            title={plan === null ? 'There is no plan yet that a client could be made from.' : undefined}
            onClick={() => void client()}
          >
            Download a typed client
          </Button>
          <Button
            onClick={() => {
              edit(undefined)
            }}
          >
            Plan an event
          </Button>
        </>
      }
    >
      <Ask of={seen}>
        {({ seen: all, days }) => (
          <>
            <p className="sentence">{sentenceOf(all, plan, days)}</p>
            {recent.data === undefined || plan === null ? null : (
              <p>
                {recent.data.events === 0 ? (
                  <Mark is="ok">Nothing violated the plan in the last 24 hours.</Mark>
                ) : (
                  <Mark is="warn">
                    <Link to={`/sources/${sourceId}/violations`}>
                      {plural(recent.data.events, 'violation', 'violations')} in the last 24 hours
                    </Link>
                  </Mark>
                )}
              </p>
            )}
            <Modes sourceId={sourceId} plan={plan} />
            <Card title="Arrived and not planned" aside={`in the last ${String(days)} days`}>
              <SeenEvents seen={all} busy={adopt.isPending} adopt={adoptSome} />
            </Card>
            <Card title="Planned" aside={plural(content.events.length, 'event', 'events')}>
              {content.events.length === 0 ? (
                <Empty
                  sentence="No event is planned yet."
                  example="Adopt what arrives, or plan an event: its name, its properties with type and meaning, how sensitive they are and what they are for."
                />
              ) : (
                <PlannedEvents
                  events={content.events}
                  seen={all}
                  busy={busy}
                  edit={edit}
                  remove={(gone) => {
                    save(
                      { ...content, events: content.events.filter((event) => keyOf(event) !== keyOf(gone)) },
                      'Took an event out',
                    )
                  }}
                />
              )}
            </Card>
            <Owners sourceId={sourceId} plan={plan} />
          </>
        )}
      </Ask>
    </Page>
  )
}

function sentenceOf(seen: readonly SeenEvent[], plan: Plan | null, days: number): string {
  const arrived = `${plural(seen.length, 'event', 'events')} seen in the last ${String(days)} days`
  if (plan === null)
    return seen.length === 0
      ? 'Nothing is planned and nothing has arrived. Plan what this source should send, before it does.'
      : `${arrived}, nothing planned. Adopt what arrives to begin: nothing that is sent will be held up.`
  const planned = seen.filter((one) => one.planned).length
  const silent = plan.content.events.length - planned
  return `${arrived}, ${count(planned)} of them planned.${
    silent > 0 ? ` ${count(silent)} more ${silent === 1 ? 'is' : 'are'} planned and did not arrive.` : ''
  }`
}
