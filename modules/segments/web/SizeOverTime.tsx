import { useRoute } from '../../../ui/api.ts'
import { Bars } from '../../../ui/chart.tsx'
import { Ago, count } from '../../../ui/format.tsx'
import { Ask } from '../../../ui/page.tsx'
import { routes, type Segment } from '../contract.ts'

/** How many people were in a segment day by day, and how many came and went in the last week. */
export function SizeOverTime({ segment }: { segment: Segment }) {
  const found = useRoute(routes.history, { params: { id: segment.id } }, { everyMs: 60_000, keep: true })
  return (
    <Ask of={found}>
      {({ days, lookedAt }) => {
        const week = days.slice(-7)
        const sum = (of: 'entered' | 'gone') => week.reduce((total, day) => total + day[of], 0)
        return lookedAt === null ? (
          <p className="secondary">
            Who is in it is looked at every minute,{' '}
            {segment.archived ? 'while it is not put away' : 'for the first time within the next'}.
          </p>
        ) : (
          <div className="stack">
            <Bars
              label="People in it at the end of each day"
              unit="people"
              bars={days.map(({ day, people }) => ({ label: day, value: people }))}
            />
            <p className="secondary">
              On the last {week.length === 1 ? 'day' : `${String(week.length)} days`} {count(sum('entered'))} came into
              it and {count(sum('gone'))} left. Looked at every minute, last <Ago at={lookedAt} />.
            </p>
          </div>
        )
      }}
    </Ask>
  )
}
