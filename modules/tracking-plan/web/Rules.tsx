import { Button, Modal, Select } from '@mantine/core'
import { useState } from 'react'
import { routes as accounts } from '../../accounts/contract.ts'
import type { Source } from '../../sources/contract.ts'
import { useRoute } from '../../../ui/api.ts'
import { count, percent, plural } from '../../../ui/format.tsx'
import { Ask, Card, Table } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { Mode, modes, routes, rules, strictness, type Judged, type Plan, type PlanContent } from '../contract.ts'
import { emptyPlan, useSavePlan } from './saving.ts'

const names: Record<Mode, string> = { observe: 'Observe', omit: 'Omit', quarantine: 'Quarantine', block: 'Block' }

/** What happens to what violates the plan. A stricter choice is held against last week's events before it is made. */
export function Modes({ sourceId, plan }: { sourceId: Source['id']; plan: Plan | null }) {
  const { busy, save } = useSavePlan(sourceId, plan)
  const [thinking, setThinking] = useState<PlanContent | undefined>()
  const content = plan?.content ?? emptyPlan
  const choose = (next: PlanContent) => {
    const stricter =
      strictness[next.mode] > strictness[content.mode] ||
      (next.mode !== 'observe' &&
        ((next.unplannedEvents === 'violation' && content.unplannedEvents === 'allowed') ||
          (next.unplannedProperties === 'violation' && content.unplannedProperties === 'allowed')))
    if (stricter) setThinking(next)
    else save(next, 'Changed what happens to violations')
  }
  const open = [
    { value: 'violation', label: 'violates the plan' },
    { value: 'allowed', label: 'is allowed' },
  ]
  return (
    <Card title="What happens to what violates it">
      <ul className="plain-list choices">
        {Mode.options.map((mode) => (
          <li key={mode}>
            {content.mode === mode ? (
              <Mark is="ok">
                <b>{names[mode]}</b>
              </Mark>
            ) : (
              <Button
                size="compact-sm"
                variant="default"
                disabled={plan === null || busy}
                title={plan === null ? 'Plan something first.' : undefined}
                onClick={() => {
                  choose({ ...content, mode })
                }}
              >
                {names[mode]}
              </Button>
            )}
            <span>{modes[mode]}</span>
          </li>
        ))}
      </ul>
      <div className="condition">
        <Select
          label="An event that is not planned"
          data={open}
          value={content.unplannedEvents}
          allowDeselect={false}
          disabled={plan === null || busy}
          onChange={(value) => {
            choose({ ...content, unplannedEvents: value === 'allowed' ? 'allowed' : 'violation' })
          }}
        />
        <Select
          label="A property that is not planned"
          data={open}
          value={content.unplannedProperties}
          allowDeselect={false}
          disabled={plan === null || busy}
          onChange={(value) => {
            choose({ ...content, unplannedProperties: value === 'allowed' ? 'allowed' : 'violation' })
          }}
        />
      </div>
      <Modal
        opened={thinking !== undefined}
        onClose={() => {
          setThinking(undefined)
        }}
        title="What it would have done"
        size="lg"
      >
        {thinking === undefined ? null : (
          <WouldHave
            sourceId={sourceId}
            content={thinking}
            busy={busy}
            leave={() => {
              setThinking(undefined)
            }}
            act={() => {
              save(thinking, `Mode ${thinking.mode}`, () => {
                setThinking(undefined)
              })
            }}
          />
        )}
      </Modal>
    </Card>
  )
}

function WouldHave(props: {
  sourceId: Source['id']
  content: PlanContent
  busy: boolean
  act: () => void
  leave: () => void
}) {
  const { sourceId, content } = props
  const judged = useRoute(routes.judge, { params: { sourceId }, body: { content } })
  return (
    <div className="stack">
      <Ask of={judged}>
        {(now) => (
          <>
            <p className="sentence">{sentenceOf(now)}</p>
            {now.worst.length === 0 ? null : (
              <Table
                label="What would have violated the plan"
                head={['Event', 'Property', 'Why', 'Events']}
                right={[3]}
              >
                {now.worst.slice(0, 8).map((row) => (
                  <tr key={`${row.event} ${row.property} ${row.rule}`}>
                    <td>{row.event}</td>
                    <td>{row.property === '' ? '–' : <code>{row.property}</code>}</td>
                    <td>{rules[row.rule]}</td>
                    <td className="right">{count(row.events)}</td>
                  </tr>
                ))}
              </Table>
            )}
          </>
        )}
      </Ask>
      <p>{modes[content.mode]}</p>
      <div className="row">
        <Button data-autofocus loading={props.busy} disabled={judged.data === undefined} onClick={props.act}>
          Choose {names[content.mode].toLowerCase()}
        </Button>
        <Button variant="default" onClick={props.leave}>
          Leave it as it is
        </Button>
      </div>
    </div>
  )
}

function sentenceOf(now: Judged): string {
  if (now.events === 0) return 'No event came in the last 7 days, so nothing would have happened.'
  const of =
    now.looked < now.events
      ? `Of the ${count(now.looked)} newest of ${count(now.events)} events of the last 7 days`
      : `Of ${plural(now.events, 'event', 'events')} of the last 7 days`
  const parts = (
    [
      [now.blocked, 'would have been blocked and lost'],
      [now.quarantined, 'would have been put aside'],
      [now.omitted, 'would have lost properties'],
      [now.noted, 'would only have been written down'],
    ] as const
  )
    .filter(([events]) => events > 0)
    .map(([events, what]) => `${count(events)} (${percent(events / Math.max(1, now.looked))}) ${what}`)
  return parts.length === 0 ? `${of}, none violates the plan.` : `${of}, ${parts.join(', ')}.`
}

/** Who answers for the plan, on both sides. */
export function Owners({ sourceId, plan }: { sourceId: Source['id']; plan: Plan | null }) {
  const people = useRoute(accounts.people)
  const { busy, save } = useSavePlan(sourceId, plan)
  const content = plan?.content ?? emptyPlan
  const of = (side: 'marketing' | 'it') =>
    (people.data ?? [])
      .filter((one) => one.side === side && one.disabledAt === null)
      .map((one) => ({ value: one.id as string, label: one.name }))
  const missing = [
    ...(content.ownerMarketing === null ? ['Marketing'] : []),
    ...(content.ownerIt === null ? ['IT'] : []),
  ]
  return (
    <Card title="Who answers for it">
      {missing.length === 0 ? null : (
        <p className="secondary">Nobody in {missing.join(' and nobody in ')} answers for this plan yet.</p>
      )}
      <div className="condition">
        <Select
          label="Owner in Marketing"
          description="What the events mean and are for."
          data={of('marketing')}
          value={content.ownerMarketing}
          clearable
          searchable
          disabled={plan === null || busy}
          onChange={(value) => {
            save(
              { ...content, ownerMarketing: value as PlanContent['ownerMarketing'] },
              'Changed the owner in Marketing',
            )
          }}
        />
        <Select
          label="Owner in IT"
          description="That what is sent keeps to the plan."
          data={of('it')}
          value={content.ownerIt}
          clearable
          searchable
          disabled={plan === null || busy}
          onChange={(value) => {
            save({ ...content, ownerIt: value as PlanContent['ownerIt'] }, 'Changed the owner in IT')
          }}
        />
      </div>
    </Card>
  )
}
