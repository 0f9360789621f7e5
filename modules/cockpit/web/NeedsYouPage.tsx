import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useRoute } from '../../../ui/api.ts'
import { Ago, plural, Timed } from '../../../ui/format.tsx'
import { Ask, Card, Empty, Page } from '../../../ui/page.tsx'
import { Lamp, Mark } from '../../../ui/signal.tsx'
import { routes as accounts } from '../../accounts/contract.ts'
import { routes, type Cockpit, type Step, type Task } from '../contract.ts'

/** What waits for the one who looks, then what waits for others. */
export function NeedsYouPage() {
  const home = useRoute(routes.home, {}, { everyMs: 20_000 })
  return (
    <Page title="Needs you" {...(home.data === undefined ? {} : { sentence: sentenceOf(home.data) })}>
      <Ask of={home} rows={6}>
        {(now) => (
          <>
            {now.beginning.length === 0 ? null : <Beginning steps={now.beginning} />}
            {now.needsYou.length === 0 && now.beginning.length > 0 ? null : now.needsYou.length === 0 ? (
              <Empty
                sentence="Nothing waits for you. When somebody needs your key, or a thing of yours stops, it is here."
                action={<Link to="/requests">See all requests</Link>}
              />
            ) : (
              <Card>
                <Tasks tasks={now.needsYou} level="h2" />
              </Card>
            )}
            {now.waitsForOthers.length === 0 ? null : (
              <Card title="Waits for others" aside={plural(now.waitsForOthers.length, 'thing', 'things')}>
                <Tasks tasks={now.waitsForOthers} level="h3" />
              </Card>
            )}
          </>
        )}
      </Ask>
    </Page>
  )
}

function sentenceOf(now: Cockpit): string {
  const keys = now.needsYou.filter((task) => task.lane !== null).length
  const rest = now.needsYou.length - keys
  if (now.needsYou.length === 0) {
    const left = now.beginning.filter((step) => !step.done).length
    return left === 0 ? 'You are up to date.' : `${plural(left, 'step is', 'steps are')} left until the first request.`
  }
  const parts = [
    ...(keys > 0 ? [`${plural(keys, 'request waits', 'requests wait')} for you`] : []),
    ...(rest > 0 ? [`${plural(rest, 'other thing wants', 'other things want')} to be looked at`] : []),
  ]
  const text = parts.join(', and ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** From an empty installation to the first request; gone once every step is done. */
function Beginning({ steps }: { steps: readonly Step[] }) {
  const me = useRoute(accounts.me)
  const next = steps.find((step) => !step.done)
  return (
    <Card
      title="To begin with"
      aside={`${String(steps.filter((step) => step.done).length)} of ${String(steps.length)} done`}
    >
      <ol className="tasks">
        {steps.map((step) => {
          const mine = me.data?.permissions.includes(step.permission) !== false
          return (
            <li key={step.key} className="plain">
              <div>
                <h3>{step.done ? <Mark is="ok">{step.title}</Mark> : <Link to={step.href}>{step.title}</Link>}</h3>
                <p className="secondary">
                  {step.sentence}
                  {step.done || mine ? null : ' Your roles do not let you do this; a colleague can.'}
                </p>
              </div>
              {step.done ? (
                <span className="secondary">done</span>
              ) : (
                <Button
                  component={Link}
                  to={step.href}
                  aria-label={`Do it: ${step.title}`}
                  variant={step === next ? 'filled' : 'default'}
                  size="xs"
                >
                  Do it
                </Button>
              )}
            </li>
          )
        })}
      </ol>
    </Card>
  )
}

function Tasks({ tasks, level: Heading }: { tasks: readonly Task[]; level: 'h2' | 'h3' }) {
  return (
    <ul className="tasks">
      {tasks.map((task) => (
        <li key={task.key} className={task.lane === null ? 'plain' : ''}>
          {task.lane === null ? null : <Lamp lane={task.lane} needs={task.needs} />}
          <div>
            <Heading>
              <Link to={task.href}>
                <Timed text={task.title} />
              </Link>
            </Heading>
            <p className="secondary">
              <Timed text={task.sentence} />{' '}
              {task.since === null ? null : (
                <>
                  Since <Ago at={task.since} />.
                </>
              )}
            </p>
          </div>
          <Button component={Link} to={task.href} variant="default" size="xs">
            {task.act}
          </Button>
        </li>
      ))}
    </ul>
  )
}
