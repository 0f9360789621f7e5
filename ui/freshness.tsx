import { Button, NumberInput, Select, TextInput } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import type { Freshness } from '../lib/schedule/freshness.ts'
import { Ago, At, plural } from './format.tsx'
import { Card } from './page.tsx'
import { Mark } from './signal.tsx'

/** How old what is here is, and whether that is more than was promised. */
export function Fresh({ of }: { of: Freshness }) {
  const { freshAt, missed, promiseHours } = of
  if (missed)
    return (
      <Mark is="fail">
        {freshAt === null ? 'nothing yet' : <Ago at={freshAt} />}, promised {plural(promiseHours ?? 0, 'hour', 'hours')}
      </Mark>
    )
  if (freshAt === null) return <span className="secondary">nothing yet</span>
  return promiseHours === null ? (
    <Ago at={freshAt} />
  ) : (
    <Mark is="ok">
      <Ago at={freshAt} />
    </Mark>
  )
}

interface Scheduled {
  schedule: string | null
  paused: boolean
  nextAt: string | null
  freshness: Freshness
}

const usual = [
  { value: '', label: 'by hand only' },
  { value: '*/5 * * * *', label: 'every five minutes' },
  { value: '*/30 * * * *', label: 'every half hour' },
  { value: '0 * * * *', label: 'every hour' },
  { value: '0 2 * * *', label: 'every night at 02:00 UTC' },
]

/** By which schedule something is read, how fresh it must be, and its pause. */
export function WhenCard(props: {
  of: Scheduled
  saving: boolean
  onSave: (change: { schedule?: string | null; promiseHours?: number | null; paused?: boolean }) => void
  /** Fields that are kept with it, before these. */
  children?: ReactNode
}) {
  const { of, saving, onSave } = props
  const [schedule, setSchedule] = useState(of.schedule ?? '')
  const [promise, setPromise] = useState<number | string>(of.freshness.promiseHours ?? '')
  const own = !usual.some((one) => one.value === schedule)
  return (
    <Card
      title="When it is read, and how fresh it must be"
      aside={of.paused ? 'paused' : of.nextAt === null ? 'nothing is planned' : <At at={of.nextAt} />}
    >
      <div className="stack">
        <div className="fields">
          {props.children}
          <Select
            label="It is read"
            allowDeselect={false}
            data={[...usual, { value: 'own', label: 'by a schedule of my own' }]}
            value={own ? 'own' : schedule}
            onChange={(value) => {
              setSchedule(value === 'own' ? '30 */6 * * *' : (value ?? ''))
            }}
          />
          {own ? (
            <TextInput
              label="Schedule"
              description="Minute, hour, day, month, weekday; in UTC."
              value={schedule}
              onChange={(event) => {
                setSchedule(event.currentTarget.value)
              }}
            />
          ) : null}
          <NumberInput
            label="At most so many hours old"
            description="Shown in red here and in /metrics when missed; empty promises nothing."
            min={1}
            max={8760}
            value={promise}
            onChange={setPromise}
          />
        </div>
        <p>
          Fresh as of <Fresh of={of.freshness} />
        </p>
        <div className="row">
          <Button
            loading={saving}
            onClick={() => {
              onSave({
                schedule: schedule === '' ? null : schedule,
                promiseHours: promise === '' ? null : Number(promise),
              })
            }}
          >
            Keep this
          </Button>
          {of.schedule === null ? null : (
            <Button
              variant="default"
              onClick={() => {
                onSave({ paused: !of.paused })
              }}
            >
              {of.paused ? 'Go on' : 'Pause the schedule'}
            </Button>
          )}
        </div>
      </div>
    </Card>
  )
}
