import { Button, Progress } from '@mantine/core'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, count, plural } from '../../../ui/format.tsx'
import { Card } from '../../../ui/page.tsx'
import { SureButton } from '../../../ui/sure.tsx'
import { routes, type Replay } from '../contract.ts'

const touches = ['/api/collect', '/api/tracking-plans']

/** Checks what is chosen, and replays it; the latest of both, with how far they are. */
export function Replays({ choice, matched }: { choice: NonNullable<Replay['chosen']>; matched: number }) {
  const list = useRoute(routes.replays, {}, { everyMs: 1_000 })
  const check = useDeed(routes.checkReplay, { touches })
  const replays = list.data?.replays ?? []
  const busy = replays.some((one) => one.state === 'checking')
  return (
    <Card title="Replay" aside="each event is stored at most once, with its original times">
      <div className="row">
        <Button
          loading={check.isPending}
          disabled={matched === 0 || busy}
          title={matched === 0 ? 'Nothing is chosen.' : busy ? 'A check is under way.' : undefined}
          onClick={() => {
            check.mutate({ body: choice })
          }}
        >
          Check {plural(matched, 'event', 'events')}
        </Button>
        <span className="secondary">First you see what would become of them now; nothing is stored by that.</span>
      </div>
      {replays.length === 0 ? null : (
        <ul className="tasks">
          {replays.slice(0, 5).map((one) => (
            <One key={one.id} replay={one} />
          ))}
        </ul>
      )}
    </Card>
  )
}

function One({ replay }: { replay: Replay }) {
  const run = useDeed(routes.runReplay, { touches })
  const cancel = useDeed(routes.cancelReplay, { touches, done: 'Ended. What was replayed so far stays replayed.' })
  const { state, found } = replay
  const going = state === 'checking' || state === 'running'
  const wouldGo = (found?.pass ?? 0) + (found?.untold ?? 0)
  return (
    <li className="plain">
      <div className="stack">
        <div>
          <b>{sentenceOf(replay)}</b>{' '}
          <span className="secondary">
            {chosenOf(replay)}, by {replay.startedBy}, <Ago at={replay.createdAt} />
          </span>
        </div>
        {going ? (
          <Progress
            aria-label={state === 'checking' ? 'Checked so far' : 'Replayed so far'}
            value={(replay.looked / Math.max(1, replay.matched)) * 100}
            animated
          />
        ) : null}
        {state === 'checked' && found !== null
          ? found.fails.map((fail) => (
              <div key={fail.reason} className="secondary">
                {plural(fail.events, 'event', 'events')} would not pass: {fail.because}{' '}
                {fail.samples
                  .map((sample) => `${sample.name === '' ? '' : `${sample.name}: `}${sample.because}`)
                  .join(' · ')}
              </div>
            ))
          : null}
        {state === 'running' || state === 'done' || replay.became.length > 0 ? (
          <div className="secondary">
            {replay.became.length === 0
              ? 'Nothing has come through yet.'
              : replay.became
                  .map(
                    (one) =>
                      `${count(one.events)} ${words[one.outcome] ?? one.outcome}${one.because === '' ? '' : ` (${one.because})`}`,
                  )
                  .join(', ')}
          </div>
        ) : null}
        {replay.because === null ? null : <div className="secondary">{replay.because}</div>}
      </div>
      {going ? (
        <Button
          size="compact-sm"
          variant="default"
          loading={cancel.isPending}
          onClick={() => {
            cancel.mutate({ params: { id: replay.id } })
          }}
        >
          Cancel
        </Button>
      ) : state === 'checked' ? (
        <SureButton
          label={`Replay ${plural(replay.matched, 'event', 'events')}`}
          act="Replay them"
          size="compact-sm"
          loading={run.isPending}
          says={
            wouldGo === 0
              ? 'By the check none of them passes. Those that do not are put aside again with their reason.'
              : 'What passes becomes events of its source, and people are made and joined by them. That cannot be undone. What does not pass is put aside again, or blocked where the plan blocks it.'
          }
          onSure={() => {
            run.mutate({ params: { id: replay.id } })
          }}
        />
      ) : null}
    </li>
  )
}

const words: Record<string, string> = {
  stored: 'stored',
  deduplicated: 'were there already',
  quarantined: 'put aside again',
  rejected: 'rejected',
  'in-flight': 'on their way',
}

function chosenOf({ chosen }: Replay): string {
  const parts = [
    ...(chosen.reason === undefined ? [] : [chosen.reason]),
    ...(chosen.name === undefined ? [] : [chosen.name]),
  ]
  return parts.length === 0 ? 'every reason' : parts.join(', ')
}

function sentenceOf({ state, matched, looked, found }: Replay): string {
  const of = `${count(looked)} of ${count(matched)}`
  switch (state) {
    case 'checking':
      return `Checking: ${of}`
    case 'running':
      return `Replaying: ${of}`
    case 'done':
      return `Replayed ${plural(looked, 'event', 'events')}`
    case 'cancelled':
      return `Cancelled after ${of}`
    case 'failed':
      return `Failed after ${of}`
    case 'checked': {
      if (found === null) return `Checked ${of}`
      const parts = [
        ...(found.pass > 0 ? [`${count(found.pass)} would be stored`] : []),
        ...(found.untold > 0
          ? [`${count(found.untold)} would be tried again (the store or a step had failed on them)`]
          : []),
        ...(found.duplicate > 0 ? [`${count(found.duplicate)} are in the store already`] : []),
        ...(found.fails.length > 0
          ? [`${count(found.fails.reduce((sum, fail) => sum + fail.events, 0))} would not pass`]
          : []),
      ]
      return `Of ${plural(looked, 'event', 'events')}, ${parts.join(', ')}.`
    }
  }
}
