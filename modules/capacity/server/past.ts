import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import { resolvedJoin, resolvedProfile } from '../../identity/server/index.ts'
import type { Broadcast } from '../../journeys/contract.ts'
import { stepMs } from './forecast.ts'
import { curveHours, curveOf, least, type Past } from './response.ts'

/** Only what had a day to come back counts, nothing older than half a year, and so many campaigns at most. */
const reach = { youngestMs: 86_400_000, oldestMs: 180 * 86_400_000, campaigns: 20 } as const

/** When its mails began to leave: its time, or the launch when that came later. */
export const beganMs = (of: Pick<Broadcast, 'launchedAt' | 'sendAt'>): number | undefined =>
  of.launchedAt === null ? undefined : Math.max(Date.parse(of.launchedAt), Date.parse(of.sendAt ?? of.launchedAt))

export interface Seen {
  past: Past[]
  curve: ReturnType<typeof curveOf>
  /** How fast mails left, on the fastest campaign that tells; undefined when none does. */
  mailsPerSecond: number | undefined
}

/** What came of the campaigns that are out, counted from the events of their messages; machines count too, because their requests come in like all others. */
export async function readSeen(clickhouse: ClickHouse, broadcasts: readonly Broadcast[], nowMs: number): Promise<Seen> {
  const out = broadcasts
    .filter((one) => {
      const began = beganMs(one) ?? nowMs
      return (one.audience ?? 0) > 0 && nowMs - began >= reach.youngestMs && nowMs - began <= reach.oldestMs
    })
    .slice(0, reach.campaigns)
  const rates = broadcasts.flatMap((one) => {
    const [began, accepted] = [beganMs(one), one.counts.accepted ?? 0]
    if (began === undefined || one.finishedAt === null || accepted < least.people) return []
    return [accepted / Math.max(1, (Date.parse(one.finishedAt) - began) / 1000)]
  })
  const mailsPerSecond = rates.length === 0 ? undefined : Math.max(...rates)
  if (out.length === 0) return { past: [], curve: curveOf(new Map()), mailsPerSecond }

  const params = { ids: out.map((one) => one.id as string), from: nowMs - reach.oldestMs - reach.youngestMs }
  const since = 'e.time >= fromUnixTimestamp64Milli({from:Int64})'
  const ours = `${since} AND e.properties.broadcastId::String IN {ids:Array(String)}`
  const [told, pages, steps] = await Promise.all([
    clickhouse.query<{ id: string; sent: number; opened: number; clicked: number }>(
      `SELECT e.properties.broadcastId::String AS id, toUInt32(countIf(name = 'Message Sent')) AS sent, toUInt32(countIf(name = 'Message Opened')) AS opened,
         toUInt32(countIf(name = 'Message Clicked')) AS clicked
       FROM event AS e WHERE e.name IN ('Message Sent', 'Message Opened', 'Message Clicked') AND ${ours} GROUP BY id`,
      params,
    ),
    // What somebody did within an hour of their first click.
    clickhouse.query<{ id: string; pages: number }>(
      `SELECT c.id AS id, toUInt32(count()) AS pages FROM event AS e ${resolvedJoin} INNER JOIN (
         SELECT e.properties.broadcastId::String AS id, ${resolvedProfile} AS person, min(e.time) AS at FROM event AS e ${resolvedJoin}
         WHERE e.name = 'Message Clicked' AND e.properties.machine::String != 'true' AND ${ours} GROUP BY id, person) AS c ON c.person = ${resolvedProfile}
       WHERE e.type IN ('track', 'page', 'screen') AND e.name NOT LIKE 'Message %' AND ${since} AND e.time >= c.at AND e.time < c.at + INTERVAL 1 HOUR GROUP BY id`,
      params,
    ),
    clickhouse.query<{ step: number; events: number }>(
      `SELECT toUInt32(intDiv(dateDiff('second', s.at, e.time), {stepSeconds:UInt32})) AS step, toUInt32(count()) AS events
       FROM event AS e INNER JOIN (
         SELECT e.properties.message::String AS message, min(e.time) AS at FROM event AS e WHERE e.name = 'Message Sent' AND ${ours} GROUP BY message) AS s
         ON s.message = e.properties.message::String
       WHERE e.name IN ('Message Opened', 'Message Clicked') AND ${ours} AND e.time >= s.at AND e.time < s.at + INTERVAL {hours:UInt8} HOUR GROUP BY step`,
      { ...params, stepSeconds: stepMs / 1000, hours: curveHours },
    ),
  ])
  const [toldOf, pagesOf] = [
    new Map(told.map((row) => [row.id, row])),
    new Map(pages.map((row) => [row.id, row.pages])),
  ]
  return {
    past: out.map((one) => ({
      id: one.id,
      senderId: one.sender.id,
      topicId: one.topic.id,
      people: one.audience ?? 0,
      sent: toldOf.get(one.id)?.sent ?? 0,
      opened: toldOf.get(one.id)?.opened ?? 0,
      clicked: toldOf.get(one.id)?.clicked ?? 0,
      pages: pagesOf.get(one.id) ?? 0,
    })),
    curve: curveOf(new Map(steps.map((row) => [row.step, row.events]))),
    mailsPerSecond,
  }
}
