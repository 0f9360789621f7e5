import { Button, SegmentedControl } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { routes as sources, type Source } from '../../sources/contract.ts'
import { useAddress } from '../../../ui/address.tsx'
import { useRoute } from '../../../ui/api.ts'
import { Ago, count, exact, plural } from '../../../ui/format.tsx'
import { Ask, Card, Empty, Page, Table, useParam } from '../../../ui/page.tsx'
import { labelOfEvent, routes, rules, type Rule, type Violation } from '../contract.ts'

const periods = [
  { value: 'hour', label: '1 hour' },
  { value: 'day', label: '24 hours' },
  { value: 'week', label: '7 days' },
  { value: 'quarter', label: '90 days' },
]
type Period = 'hour' | 'day' | 'week' | 'quarter'
const isPeriod = (text: string | undefined): text is Period => periods.some((one) => one.value === text)

/** What violated the plan of a source: by event and property, over time, with samples and the versions that sent it. */
export function ViolationsPage() {
  const sourceId = useParam('id') as Source['id']
  const [words, put] = useAddress()
  const period: Period = isPeriod(words['period']) ? words['period'] : 'day'
  const source = useRoute(sources.get, { params: { id: sourceId } })
  const plan = useRoute(routes.get, { params: { sourceId } })
  const found = useRoute(routes.violations, { params: { sourceId }, query: { period } }, { everyMs: 3_000, keep: true })
  const owners = [plan.data?.plan?.content.ownerMarketing, plan.data?.plan?.content.ownerIt]
    .map((id) => (typeof id === 'string' ? plan.data?.owners[id] : undefined))
    .filter((name) => name !== undefined)
  const name = source.data?.name ?? 'the source'
  return (
    <Page
      title="Violations"
      tabTitle={`Violations: ${name}`}
      crumbs={[
        { label: 'Sources', to: '/sources' },
        { label: name, to: `/sources/${sourceId}` },
        { label: 'Tracking plan', to: `/sources/${sourceId}/plan` },
        { label: 'Violations' },
      ]}
      sub={
        owners.length === 0
          ? 'Nobody answers for this plan yet; the plan’s page says where to name somebody.'
          : `${owners.join(' and ')} ${owners.length === 1 ? 'answers' : 'answer'} for this plan.`
      }
      actions={
        <>
          <Button component={Link} to={`/sources/${sourceId}/plan`} variant="default">
            Tracking plan
          </Button>
          <Button component={Link} to={`/sources/quarantine?source=${sourceId}&reason=violates_plan`} variant="default">
            What was put aside
          </Button>
        </>
      }
    >
      <div className="row">
        <SegmentedControl
          aria-label="Period"
          data={periods}
          value={period}
          onChange={(value) => {
            put({ period: value })
          }}
        />
      </div>
      <Ask of={found} shape="table">
        {({ violations, events, steps, stepSeconds, from }) =>
          violations.length === 0 ? (
            <Empty
              sentence={
                plan.data?.plan === null
                  ? 'Without a plan nothing can violate it.'
                  : 'Nothing violated the plan in this time.'
              }
              example="An event that is not planned, a property of another type, or one that is missing would be here within five seconds, with samples and the version of the library that sent it."
              action={
                plan.data?.plan === null ? (
                  <Button component={Link} to={`/sources/${sourceId}/plan`}>
                    Make a plan
                  </Button>
                ) : undefined
              }
            />
          ) : (
            <>
              <p className="sentence">{sentenceOf(violations, events)}</p>
              <Card className="list">
                <Table
                  label="Violations"
                  head={['Event and property', 'What is wrong', 'Times', 'Over time', 'First and last', 'Sent by']}
                  right={[2]}
                >
                  {violations.map((one) => (
                    <tr key={JSON.stringify([one.type, one.name, one.property, one.rule])}>
                      <td>
                        <b>{labelOfEvent(one)}</b>
                        {one.property === '' ? null : (
                          <>
                            <br />
                            <code>{one.property}</code>
                          </>
                        )}
                      </td>
                      <td>
                        {rules[one.rule as Rule]}
                        {one.samples.length === 0 ? null : (
                          <div className="secondary">such as {one.samples.join(' · ')}</div>
                        )}
                      </td>
                      <td className="right">{count(one.events)}</td>
                      <td>
                        <Spark values={one.overTime} from={from} stepSeconds={stepSeconds} steps={steps} />
                      </td>
                      <td>
                        <Ago at={one.firstAt} />
                        <br />
                        <Ago at={one.lastAt} />
                      </td>
                      <td>
                        <Libraries of={one} />
                      </td>
                    </tr>
                  ))}
                </Table>
              </Card>
            </>
          )
        }
      </Ask>
    </Page>
  )
}

function sentenceOf(violations: readonly Violation[], events: number): string {
  const [worst] = violations
  const names = new Set(violations.map((one) => labelOfEvent(one))).size
  const most =
    worst === undefined || violations.length === 1
      ? ''
      : ` Most often, ${plural(worst.events, 'time', 'times')}: ${labelOfEvent(worst)}${worst.property === '' ? '' : `, ${worst.property}`}.`
  return `${plural(events, 'violation', 'violations')} in ${plural(names, 'event', 'events')}.${most}`
}

function Libraries({ of }: { of: Violation }) {
  const [first] = of.libraries
  if (first === undefined) return <span className="secondary">it does not say</span>
  return (
    <>
      {first.name} since {first.version === '' ? 'an unnamed version' : first.version}
      {of.libraries.length > 1 ? (
        <details>
          <summary>{plural(of.libraries.length, 'version', 'versions')}</summary>
          <ul className="plain-list">
            {of.libraries.map((one) => (
              <li key={`${one.name} ${one.version}`}>
                {one.name} {one.version}: {count(one.events)}, first <Ago at={one.firstAt} />
              </li>
            ))}
          </ul>
        </details>
      ) : null}
    </>
  )
}

/** How often, over the period; the figures are in its description. */
function Spark(props: { values: readonly number[]; from: string; stepSeconds: number; steps: number }) {
  const top = Math.max(1, ...props.values)
  const at = props.values.indexOf(top)
  const when = exact(new Date(Date.parse(props.from) + at * props.stepSeconds * 1000).toISOString())
  return (
    <svg
      className="spark"
      viewBox={`0 0 ${String(props.steps * 4)} 24`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`At most ${count(top)}, around ${when}.`}
    >
      <title>{`At most ${count(top)}, around ${when}.`}</title>
      {props.values.map((value, index) => {
        const height = value === 0 ? 0 : Math.max(2, (value / top) * 24)
        return <rect key={index} x={index * 4} y={24 - height} width={3} height={height} className="bar" />
      })}
    </svg>
  )
}
