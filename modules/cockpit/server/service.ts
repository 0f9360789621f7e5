import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Jobs } from '../../../platform/jobs/jobs.ts'
import type { Accounts } from '../../accounts/server/index.ts'
import type { Capacity } from '../../capacity/server/index.ts'
import type { Channels } from '../../channels/server/index.ts'
import type { Collect } from '../../collect/server/index.ts'
import type { Consent } from '../../consent/server/index.ts'
import type { Feeds } from '../../feeds/server/index.ts'
import type { Imports } from '../../imports/server/index.ts'
import type { Journeys } from '../../journeys/server/index.ts'
import type { Profiles } from '../../profiles/server/index.ts'
import type { Pulls } from '../../pulls/server/index.ts'
import type { Requests } from '../../requests/server/index.ts'
import type { StandingImports } from '../../standing-imports/server/index.ts'
import type { Tools } from '../../tools/server/index.ts'
import type { Webhooks } from '../../webhooks/server/index.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Cockpit, Demo, Step, Task } from '../contract.ts'
import { beginning } from './beginning.ts'
import { tasksOfBrought, type Brought } from './brought.ts'

const dayMs = 86_400_000

/** The home of each side: it keeps nothing, it asks the modules. */
export function createCockpit(needs: {
  clickhouse: ClickHouse
  clock: Clock
  requests: Pick<Requests, 'list'>
  tools: Pick<Tools, 'list'>
  journeys: Pick<Journeys, 'list'>
  imports: Pick<Imports, 'list'>
  pulls: Pick<Pulls, 'list'>
  feeds: Pick<Feeds, 'list'>
  webhooks: Pick<Webhooks, 'list'>
  standingImports: Pick<StandingImports, 'list'>
  collect: Pick<Collect, 'ledger' | 'ledgerAlarm'>
  profiles: Pick<Profiles, 'count'>
  jobs: Pick<Jobs, 'dead'>
  accounts: Pick<Accounts, 'people'>
  channels: Pick<Channels, 'senders' | 'route'>
  consent: Pick<Consent, 'countedTopics'>
  capacity: Pick<Capacity, 'warning'>
  /** The demo company, when this is one. */
  demo?: { state(): Demo; trickle(running: boolean): void }
}) {
  const { clock } = needs
  return {
    trickle(running: boolean): Demo {
      if (needs.demo === undefined) throw new Refusal('not_now', 'This is no demo company.')
      needs.demo.trickle(running)
      return needs.demo.state()
    },
    async home(caller: Caller): Promise<Cockpit> {
      const [brought, requests, tools, broadcasts, imports, ledger, people, dead, tooMuch, days] = await Promise.all([
        allBrought(),
        needs.requests.list(caller),
        needs.tools.list(),
        needs.journeys.list(),
        needs.imports.list(),
        needs.collect.ledger(),
        needs.profiles.count(),
        needs.jobs.dead(),
        needs.capacity.warning(),
        needs.clickhouse.query<{ day: string; events: number; orders: number }>(
          `SELECT toString(toDate(time)) AS day, toUInt32(count()) AS events, toUInt32(countIf(name = 'Order Completed')) AS orders
           FROM event WHERE type IN ('track', 'page', 'screen') AND name NOT LIKE 'Consent %' AND time >= toDateTime64({from:String}, 3, 'UTC') GROUP BY day ORDER BY day`,
          { from: new Date(clock.ms() - 13 * dayMs).toISOString().slice(0, 10) },
        ),
      ])
      const alarm = needs.collect.ledgerAlarm()
      const open = requests.filter((row) => row.state === 'waiting' || row.state === 'ready')
      const taskOf = (row: (typeof open)[number]): Task => ({
        key: row.id,
        title: row.title,
        sentence: row.sentence,
        href: `/requests/${row.id}`,
        act: row.stands === 'ready' ? 'Let it go live' : 'Look and give your key',
        lane: row.lane,
        needs: row.needs,
        since: row.openedAt,
      })
      const mine = caller.side
      const needsYou: Task[] = open.filter((row) => row.yourTurn).map(taskOf)
      const stuck = broadcasts.filter((row) => row.state === 'paused' || row.state === 'halted')
      if (mine === 'marketing')
        for (const row of stuck)
          needsYou.push({
            key: row.id,
            title: row.name,
            sentence: row.sentence,
            href: `/campaigns/${row.id}`,
            act: 'See why it stopped',
            lane: null,
            needs: null,
            since: row.launchedAt,
          })
      const soon = clock.now().getTime() + 30 * dayMs
      for (const tool of tools) {
        if (!tool.registered && mine === 'it')
          needsYou.push({
            key: tool.id,
            title: `“${tool.name}” is not in the register`,
            sentence: `It was found: ${tool.evidence ?? 'by evidence'}. Nobody answers for it on either side.`,
            href: `/tools/${tool.id}`,
            act: 'Register it',
            lane: null,
            needs: null,
            since: null,
          })
        const ends = tool.contract.endsOn
        if (
          tool.registered &&
          tool.status === 'live' &&
          ends !== null &&
          Date.parse(ends) < soon &&
          tool.owners[mine]?.id === caller.accountId
        )
          needsYou.push({
            key: `${tool.id} ends`,
            title: `The contract of “${tool.name}” ${Date.parse(ends) < clock.ms() ? 'ended' : 'ends'} on ${ends}`,
            sentence: 'Renew it or retire the tool; after the end nothing goes through it.',
            href: `/tools/${tool.id}`,
            act: 'Decide',
            lane: null,
            needs: null,
            since: null,
          })
      }
      for (const row of imports.filter((one) => one.state === 'failed').slice(0, 3))
        needsYou.push({
          key: row.id,
          title: `The import of ${row.fileName} failed`,
          sentence: row.because ?? 'It can be run again; nothing is stored twice.',
          href: `/imports/${row.id}`,
          act: 'Look at it',
          lane: null,
          needs: null,
          since: row.finishedAt,
        })
      needsYou.push(...tasksOfBrought(brought, mine))
      if (mine === 'it')
        for (const job of dead.slice(0, 3))
          needsYou.push({
            key: job.id,
            title: `The job ${job.name} gave up`,
            sentence: job.error.split('\n')[0] ?? '',
            href: '/settings',
            act: 'Look at it',
            lane: null,
            needs: null,
            since: job.lastTriedAt.toISOString(),
          })
      if (tooMuch !== undefined)
        needsYou.push({
          key: 'capacity',
          title: 'More will come than this machine takes',
          sentence: tooMuch.sentence,
          href: '/sources/capacity',
          act: 'See what would pass',
          lane: null,
          needs: null,
          since: null,
        })
      const ownerless = tools.filter(
        (tool) =>
          tool.registered && tool.status === 'live' && (tool.owners.marketing === null || tool.owners.it === null),
      ).length
      return {
        demo: needs.demo?.state() ?? null,
        ledger: alarm === undefined ? null : { sentence: alarm.sentence, since: alarm.since },
        // Whoever let something go has been through all of it.
        beginning: broadcasts.some((row) => row.launchedAt !== null) ? [] : await steps(tools, people, requests.length),
        needsYou,
        waitsForOthers: open
          .filter((row) => !row.yourTurn)
          .map((row) => ({ ...taskOf(row), act: 'See where it stands' })),
        numbers: [
          {
            key: 'people',
            label: 'People',
            value: people,
            means: 'Profiles that we know, each one person over all sources.',
            href: '/people',
          },
          {
            key: 'today',
            label: 'Events in 24 hours',
            value: await eventsSince(clock.ms() - dayMs),
            means: 'Events whose corrected time is within the last 24 hours, each once.',
            href: '/sources',
          },
          {
            key: 'quarantined',
            label: 'In quarantine',
            value: ledger.total.quarantined,
            means: 'Events that were put aside with a reason since the beginning; none is lost.',
            href: '/sources/quarantine',
          },
          {
            key: 'waiting',
            label: 'Open requests',
            value: open.length,
            means: 'Changes that wait for a key or to be let go, over both sides.',
            href: '/requests',
          },
          {
            key: 'ownerless',
            label: 'Tools lacking an owner',
            value: ownerless,
            means:
              'Live tools without an owner in Marketing, in IT or in both. Nothing that needs keys goes through them; events of a source come in all the same.',
            href: '/tools',
          },
        ],
        days,
      }
    },
  }
  async function allBrought(): Promise<Brought> {
    const [pulls, feeds, webhooks, { standing }] = await Promise.all([
      needs.pulls.list(),
      needs.feeds.list(),
      needs.webhooks.list(),
      needs.standingImports.list(),
    ])
    return { pulls, feeds, webhooks, standing }
  }
  async function steps(tools: Awaited<ReturnType<Tools['list']>>, people: number, requests: number): Promise<Step[]> {
    const [staff, { toolId }, senders, topics] = await Promise.all([
      needs.accounts.people(),
      needs.channels.route(),
      needs.channels.senders(),
      needs.consent.countedTopics(),
    ])
    const owners = tools.find((tool) => tool.id === toolId)?.owners ?? { marketing: null, it: null }
    const all = beginning({
      staff: staff.filter((person) => person.disabledAt === null),
      route: { toolId, owners },
      senders: senders.length,
      people,
      topics,
      requests,
    })
    return all.some((step) => !step.done) ? all : []
  }
  async function eventsSince(fromMs: number): Promise<number> {
    const [row] = await needs.clickhouse.query<{ n: number }>(
      `SELECT toUInt32(count()) AS n FROM event WHERE time >= fromUnixTimestamp64Milli({from:Int64}) AND time <= fromUnixTimestamp64Milli({to:Int64})`,
      { from: fromMs, to: clock.ms() },
    )
    return row?.n ?? 0
  }
}
export type CockpitService = ReturnType<typeof createCockpit>
