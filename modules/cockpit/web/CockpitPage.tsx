import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Bars } from '../../../ui/chart.tsx'
import { count, Meant } from '../../../ui/format.tsx'
import { Ask, Card, Page } from '../../../ui/page.tsx'
import { routes } from '../contract.ts'

export function CockpitPage() {
  const home = useRoute(routes.home, {}, { everyMs: 10_000 })
  const trickle = useDeed(routes.trickle, { touches: ['/api/cockpit'] })
  const demo = home.data?.demo ?? null
  return (
    <Page
      title="Cockpit"
      sub="The same numbers for both sides, counted now."
      actions={
        demo === null ? undefined : (
          <Button
            variant="default"
            loading={trickle.isPending}
            onClick={() => {
              trickle.mutate({ body: { running: !demo.trickle } })
            }}
          >
            {demo.trickle ? 'Pause the visitors of the demo company' : 'Let visitors of the demo company come in'}
          </Button>
        )
      }
    >
      <Ask of={home} rows={6}>
        {(now) => (
          <>
            {now.ledger === null ? null : (
              <div className="problem" role="alert">
                <strong>{now.ledger.sentence}</strong>
                <span>
                  <Link to="/sources/ledger">See the ledger</Link>
                </span>
              </div>
            )}
            <Card>
              <div className="numbers">
                {now.numbers.map((number) => (
                  <div key={number.key}>
                    <Link to={number.href}>
                      <b>{count(number.value)}</b>
                    </Link>
                    <span className="secondary">
                      <Meant means={number.means}>{number.label}</Meant>
                    </span>
                  </div>
                ))}
              </div>
            </Card>
            <div className="cards">
              <Card>
                <Bars
                  label="What people did, a day, last 14 days"
                  unit="events"
                  bars={now.days.map((day) => ({ label: shortDay(day.day), value: day.events }))}
                />
              </Card>
              <Card>
                <Bars
                  label="Orders a day, last 14 days"
                  unit="orders"
                  bars={now.days.map((day) => ({ label: shortDay(day.day), value: day.orders }))}
                />
              </Card>
            </div>
          </>
        )}
      </Ask>
    </Page>
  )
}
const shortDay = (day: string) =>
  new Date(`${day}T12:00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
