import { Button, Progress } from '@mantine/core'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, count, Meant } from '../../../ui/format.tsx'
import { Card, Empty } from '../../../ui/page.tsx'
import { routes as accounts } from '../../accounts/contract.ts'
import { routes, type CapacityPage, type Measurement } from '../contract.ts'

const touches = ['/api/capacity']

/** What this machine takes, and the button that measures it. */
export function Measured({ page }: { page: CapacityPage }) {
  const { measured, measuring, failed } = page
  const me = useRoute(accounts.me)
  const measure = useDeed(routes.measure, { touches })
  const cancel = useDeed(routes.cancel, { touches, done: 'Ended. The last result stays.' })
  const mayNot = me.data !== undefined && !me.data.permissions.includes('admin')
  const button = (label: string) => (
    <div className="row">
      <Button
        variant={measured === null || measured.stale !== null ? 'filled' : 'default'}
        loading={measure.isPending}
        disabled={mayNot}
        onClick={() => {
          measure.mutate({})
        }}
      >
        {label}
      </Button>
      <span className="secondary">
        {mayNot
          ? 'An administrator can measure it.'
          : 'Ten seconds, in which it uses every core: do it while nothing much is sent. Everything goes on meanwhile.'}
      </span>
    </div>
  )
  if (measured === null && measuring === null)
    return (
      <Empty
        sentence="Nobody measured yet how many events a second this machine takes, so nothing can be said of what would be too much."
        example={
          failed ??
          'For example: 9,400 single events a second, each on disk before it is acknowledged, on 4 cores and a disk that flushes in 0.3 ms. A mail to 600,000 people, of whom 40% open it, brings 64 a second in its steepest ten minutes.'
        }
        action={button('Measure this machine')}
      />
    )
  return (
    <Card
      title="What this machine takes"
      aside={
        measured === null ? undefined : (
          <>
            measured <Ago at={measured.at} /> by {measured.by}
          </>
        )
      }
    >
      <div className="stack">
        {failed === null || measuring !== null ? null : (
          <p role="alert">{failed} The figures are those of the last one that ended.</p>
        )}
        {measuring !== null ? (
          <div className="stack">
            <div>
              <b>{measuring.says}</b> <span className="secondary">Begun by {measuring.by}.</span>
            </div>
            <Progress aria-label="Measured so far" value={measuring.share * 100} animated />
            <div className="row">
              <Button
                variant="default"
                loading={cancel.isPending}
                disabled={mayNot}
                onClick={() => {
                  cancel.mutate({})
                }}
              >
                Cancel
              </Button>
            </div>
          </div>
        ) : null}
        {measured === null ? null : <Figures measured={measured} />}
        {measured === null || measuring !== null ? null : button('Measure again')}
      </div>
    </Card>
  )
}

function Figures({ measured }: { measured: Measurement }) {
  const numbers: [value: string, label: string, means: string][] = [
    [
      count(measured.perSecond),
      'events a second, one by one',
      `As browsers and opened mails send them, over 64 connections; 99 of 100 were answered within ${count(measured.p99Ms)} ms. This is the line in the picture.`,
    ],
    [
      count(measured.batchPerSecond),
      'events a second, in hundreds',
      'As servers send them, 100 in a request, over 16 connections.',
    ],
    [
      `${count(measured.flushMs)} ms`,
      'to flush the disk',
      'The smallest write that survives a power cut (fdatasync of 567 bytes), the middle of 200.',
    ],
  ]
  return (
    <>
      {measured.stale === null ? null : (
        <p role="alert">
          <b>Measure it again.</b> {measured.stale}
        </p>
      )}
      <div className="numbers">
        {numbers.map(([value, label, means]) => (
          <div key={label}>
            <b>{value}</b>
            <span className="secondary">
              <Meant means={means}>{label}</Meant>
            </span>
          </div>
        ))}
      </div>
      <p className="secondary">
        Measured was the door alone: requests of 567 bytes an event, checked, and on disk before the answer (
        {count(measured.flushesPerSecond)} flushes a second), in a process and a journal of its own in the data
        directory, which were removed afterwards; none of your events is made up. The load shared the {measured.cores}{' '}
        {measured.cores === 1 ? 'core' : 'cores'} ({measured.model}) with everything else, so this is a lower bound.
      </p>
    </>
  )
}
