import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Id } from '../../../lib/ids/ids.ts'
import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import { resolvedJoin, resolvedProfile } from '../../identity/server/index.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import { messageStates, type MessageState } from '../../journeys/contract.ts'
import type { Journeys } from '../../journeys/server/index.ts'
import type { Figure, Report, ReportRow } from '../contract.ts'

export interface Insights {
  /** Every broadcast that went out, newest first. */
  reports(): Promise<ReportRow[]>
  report(id: Id<'broadcast'>): Promise<Report>
  /**
   * The lines of the export, header first. That somebody took the addresses and what these people did is in the audit log before the first line.
   * @throws Refusal('not_now') for a draft
   */
  people(caller: Caller, id: Id<'broadcast'>): AsyncIterable<string>
}

const windowDays = 7
/** Of the export, before the revenue. */
const columns = [
  'profile',
  'name',
  'address',
  'state',
  'at',
  'answer',
  'reason',
  'opened',
  'clicked',
  'unsubscribed',
  'orders_7d',
]
const amount = (of: { currency: string; revenue: number }) =>
  `${of.revenue.toLocaleString('en-GB', { minimumFractionDigits: 2, maximumFractionDigits: 2 })} ${of.currency}`

/** Message events of one broadcast, with the person each belongs to now. */
const messageEvents = `SELECT e.name AS name, e.time AS time, ${resolvedProfile} AS person, e.properties.machine::String = 'true' AS machine, e.properties.link::String AS link
  FROM event AS e ${resolvedJoin} WHERE e.name LIKE 'Message %' AND e.properties.broadcastId::String = {id:String}`
/** Orders of the people it was sent to, from the moment of their mail on. */
const ordersAfter = `SELECT e.time AS time, ${resolvedProfile} AS person, toFloat64OrZero(e.properties.revenue::String) AS revenue,
    if(e.properties.currency::String = '', 'EUR', e.properties.currency::String) AS currency, s.at AS sent_at
  FROM event AS e ${resolvedJoin} INNER JOIN (SELECT person, min(time) AS at FROM (${messageEvents}) WHERE name = 'Message Sent' GROUP BY person) AS s ON s.person = ${resolvedProfile}
  WHERE e.name = 'Order Completed' AND e.time >= s.at AND e.time < s.at + INTERVAL {days:UInt8} DAY`

/** What came back from a broadcast. Ledger figures come from the ledger, behaviour from the events; none is kept twice. */
export function createInsights(needs: {
  postgres: Postgres
  audit: Pick<Audit, 'write'>
  clickhouse: ClickHouse
  journeys: Pick<Journeys, 'get' | 'list' | 'messages'>
}): Insights {
  const { clickhouse, journeys } = needs
  return {
    async reports() {
      const out = (await journeys.list()).filter((broadcast) => broadcast.launchedAt !== null)
      const back = await clickhouse.query<{ id: string } & Record<'opened' | 'clicked' | 'unsubscribed', number>>(
        `SELECT id, toUInt32(uniqExactIf(person, name = 'Message Opened' AND NOT machine)) AS opened, toUInt32(uniqExactIf(person, name = 'Message Clicked' AND NOT machine)) AS clicked,
           toUInt32(uniqExactIf(person, name = 'Message Unsubscribed')) AS unsubscribed
         FROM (SELECT e.name AS name, ${resolvedProfile} AS person, e.properties.machine::String = 'true' AS machine, e.properties.broadcastId::String AS id FROM event AS e ${resolvedJoin}
           WHERE e.name IN ('Message Opened', 'Message Clicked', 'Message Unsubscribed') AND e.properties.broadcastId::String IN {ids:Array(String)}) GROUP BY id`,
        { ids: out.map((broadcast) => broadcast.id as string) },
      )
      const of = new Map(back.map((row) => [row.id, row]))
      return out
        .map((broadcast) => ({
          id: broadcast.id,
          name: broadcast.name,
          launchedAt: broadcast.launchedAt ?? '',
          audience: broadcast.audience ?? 0,
          accepted: broadcast.counts.accepted ?? 0,
          opened: of.get(broadcast.id)?.opened ?? 0,
          clicked: of.get(broadcast.id)?.clicked ?? 0,
          unsubscribed: of.get(broadcast.id)?.unsubscribed ?? 0,
        }))
        .sort((a, b) => (a.launchedAt < b.launchedAt ? 1 : -1))
    },
    async report(id) {
      const broadcast = await journeys.get(id)
      const params = { id, days: windowDays }
      const [[sums], orders, clickers, links, hours] = await Promise.all([
        clickhouse.query<
          Record<'opened' | 'machineOpened' | 'clicked' | 'clicks' | 'machineClicks' | 'unsubscribed', number>
        >(
          `SELECT toUInt32(uniqExactIf(person, name = 'Message Opened' AND NOT machine)) AS opened,
             toUInt32(uniqExactIf(person, name = 'Message Opened' AND machine)) AS machineOpened,
             toUInt32(uniqExactIf(person, name = 'Message Clicked' AND NOT machine)) AS clicked,
             toUInt32(countIf(name = 'Message Clicked' AND NOT machine)) AS clicks,
             toUInt32(countIf(name = 'Message Clicked' AND machine)) AS machineClicks,
             toUInt32(uniqExactIf(person, name = 'Message Unsubscribed')) AS unsubscribed FROM (${messageEvents})`,
          params,
        ),
        clickhouse.query<{ currency: string; orders: number; people: number; revenue: number }>(
          `SELECT currency, toUInt32(count()) AS orders, toUInt32(uniqExact(person)) AS people, sum(revenue) AS revenue FROM (${ordersAfter}) GROUP BY currency ORDER BY revenue DESC, currency`,
          params,
        ),
        clickhouse.query<{ currency: string; orders: number; revenue: number }>(
          `SELECT o.currency AS currency, toUInt32(count()) AS orders, sum(o.revenue) AS revenue FROM (${ordersAfter}) AS o
           INNER JOIN (SELECT person, min(time) AS at FROM (${messageEvents}) WHERE name = 'Message Clicked' AND NOT machine GROUP BY person) AS c ON c.person = o.person WHERE o.time >= c.at GROUP BY currency ORDER BY revenue DESC, currency`,
          params,
        ),
        clickhouse.query<{ link: string; clicks: number; people: number }>(
          `SELECT link, toUInt32(count()) AS clicks, toUInt32(uniqExact(person)) AS people FROM (${messageEvents}) WHERE name = 'Message Clicked' AND NOT machine GROUP BY link ORDER BY clicks DESC LIMIT 50`,
          params,
        ),
        clickhouse.query<{ hour: number; opened: number; clicked: number }>(
          `SELECT toUInt32(intDiv(dateDiff('second', (SELECT min(time) FROM (${messageEvents}) WHERE name = 'Message Sent'), time), 3600)) AS hour,
             toUInt32(countIf(name = 'Message Opened' AND NOT machine)) AS opened, toUInt32(countIf(name = 'Message Clicked' AND NOT machine)) AS clicked
           FROM (${messageEvents}) WHERE name IN ('Message Opened', 'Message Clicked') GROUP BY hour HAVING hour < 168 ORDER BY hour`,
          params,
        ),
      ])
      const counts = broadcast.counts
      const accepted = counts.accepted ?? 0
      // Every row of the ledger, as the audience counts them: who is no longer part of it since a later launch is in both, as cancelled.
      const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
      const audience = broadcast.audience ?? total
      const share = (value: number, of: number, label: string) => (of === 0 ? null : { label, share: value / of })
      const figure = (
        key: string,
        label: string,
        value: number,
        unit: Figure['unit'],
        means: string,
        of: Figure['of'] = null,
        currency: string | null = null,
      ): Figure => ({ key, label, value, unit, currency, of, means })
      const opened = sums?.opened ?? 0
      const clicked = sums?.clicked ?? 0
      const ordering = orders.reduce((sum, row) => sum + row.orders, 0)
      return {
        broadcastId: id,
        name: broadcast.name,
        sentence: broadcast.sentence,
        windowDays,
        ledger: Object.entries(messageStates).flatMap(([state, words]) => {
          const count = counts[state as MessageState] ?? 0
          return count === 0 ? [] : [{ state, ...words, count }]
        }),
        audience,
        unaccounted: audience - total,
        figures: [
          figure(
            'audience',
            'Audience',
            audience,
            'people',
            'Members of the segment at the moment it was planned. After a second launch also those of the first who are no longer members.',
          ),
          figure(
            'accepted',
            'Accepted',
            accepted,
            'mails',
            'The mail server answered 250. Whether it reached the inbox, no sender can know.',
            share(accepted, audience, 'of the audience'),
          ),
          figure(
            'opened',
            'Opened',
            opened,
            'people',
            'People whose mail program asked for the picture, without those that were machines. People who block pictures are missing, so this is a lower bound.',
            share(opened, accepted, 'of accepted'),
          ),
          figure(
            'machine',
            'Opened by machines',
            sums?.machineOpened ?? 0,
            'people',
            'Pictures that Apple Mail Privacy Protection, gateways and robots asked for. Not counted as opened.',
            share(sums?.machineOpened ?? 0, accepted, 'of accepted'),
          ),
          figure(
            'clicked',
            'Clicked',
            clicked,
            'people',
            `People who followed a link at least once; ${(sums?.clicks ?? 0).toLocaleString('en-GB')} clicks in all. ${(sums?.machineClicks ?? 0).toLocaleString('en-GB')} by machines are left out.`,
            share(clicked, accepted, 'of accepted'),
          ),
          figure(
            'unsubscribed',
            'Unsubscribed',
            sums?.unsubscribed ?? 0,
            'people',
            'People who unsubscribed by one click or on the page of this mail.',
            share(sums?.unsubscribed ?? 0, accepted, 'of accepted'),
          ),
          figure(
            'ordered',
            `Ordered within ${String(windowDays)} days`,
            ordering,
            'orders',
            `Orders by people who got the mail, in the ${String(windowDays)} days after it. They might have ordered anyway: without a holdout this is no proof of effect.`,
            share(
              orders.reduce((sum, row) => sum + row.people, 0),
              accepted,
              'of accepted ordered',
            ),
          ),
          figure(
            'clickedOrders',
            'Ordered after a click',
            clickers.reduce((sum, row) => sum + row.orders, 0),
            'orders',
            `Those of them that came after that person's own click${clickers.length === 0 ? '' : `, worth ${clickers.map(amount).join(' and ')}`}.`,
          ),
          ...orders.map((row) =>
            figure(
              `revenue-${row.currency}`,
              'Revenue',
              row.revenue,
              'money',
              `The sum of those orders, as the shop sent it, in ${row.currency}.`,
              null,
              row.currency,
            ),
          ),
        ],
        links,
        hours,
      }
    },
    async *people(caller, id) {
      const broadcast = await journeys.get(id)
      if (broadcast.state === 'draft') throw new Refusal('not_now', 'Nothing was sent yet, so there is nobody to list.')
      const rows = await clickhouse.query<{ person: string; opened: string; clicked: string; unsubscribed: string }>(
        `SELECT person, if(countIf(name = 'Message Opened' AND NOT machine) = 0, '', toString(minIf(time, name = 'Message Opened' AND NOT machine))) AS opened,
           if(countIf(name = 'Message Clicked' AND NOT machine) = 0, '', toString(minIf(time, name = 'Message Clicked' AND NOT machine))) AS clicked,
           if(countIf(name = 'Message Unsubscribed') = 0, '', toString(minIf(time, name = 'Message Unsubscribed'))) AS unsubscribed
         FROM (${messageEvents}) GROUP BY person`,
        { id },
      )
      const back = new Map(rows.map((row) => [row.person, row]))
      const bought = new Map(
        (
          await clickhouse.query<{ person: string; orders: number; revenue: Record<string, number> }>(
            `SELECT person, toUInt32(sum(orders)) AS orders, CAST((groupArray(currency), groupArray(revenue)), 'Map(String, Float64)') AS revenue
             FROM (SELECT person, currency, count() AS orders, sum(revenue) AS revenue FROM (${ordersAfter}) GROUP BY person, currency) GROUP BY person`,
            { id, days: windowDays },
          )
        ).map((row) => [row.person, row]),
      )
      // One column for each currency: sums over different ones mean nothing.
      const currencies = [...new Set([...bought.values()].flatMap((row) => Object.keys(row.revenue)))].sort()
      const fields = [...columns, ...currencies.map((currency) => `revenue_7d_${currency}`)]
      await needs.postgres.transaction((tx) =>
        needs.audit.write(tx, {
          actor: actorOf(caller),
          deed: 'report.exported',
          object: { kind: 'broadcast', id },
          summary: 'exported the people of a broadcast with their addresses and what they did',
          facts: {
            people: Object.values(broadcast.counts).reduce((sum, count) => sum + count, 0),
            fields: fields.join(' ').slice(0, 300),
          },
        }),
      )
      yield `${fields.map(cell).join(',')}\r\n`
      let after: string | undefined
      do {
        const page = await journeys.messages(id, undefined, after)
        for (const message of page.messages) {
          const came = back.get(message.profileId)
          const orders = bought.get(message.profileId)
          yield `${[message.profileId, message.name, message.address ?? '', message.state, message.at, message.smtp ?? '', message.reason ?? '', came?.opened ?? '', came?.clicked ?? '', came?.unsubscribed ?? '', String(orders?.orders ?? 0), ...currencies.map((currency) => (orders?.revenue[currency] ?? 0).toFixed(2))].map(cell).join(',')}\r\n`
        }
        after = page.next ?? undefined
      } while (after !== undefined)
    },
  }
}

/** RFC 4180; a value that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV injection). */
function cell(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) && !/^-?\d/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
