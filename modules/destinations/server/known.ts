import type { ClickHouse } from '../../../platform/clickhouse/clickhouse.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import { EventType } from '../../collect/contract.ts'
import { FieldPath, type Known } from '../contract.ts'
import { labelOfPath, sensitivityOfPath } from './integration.ts'

const weekMs = 7 * 86_400_000
/** Enough to see every field that is in use. */
const sampled = 20_000
const always = ['userId', 'anonymousId', 'groupId', 'profileId']

/** What came in the last week, to choose from: events by source, and fields with how sensitive each is by its name. */
export async function readKnown(clickhouse: ClickHouse, clock: Clock): Promise<Known> {
  const since = clock.ms() - weekMs
  const [events, fields] = await Promise.all([
    clickhouse.query<{ source_id: string; type: string; name: string; events: number }>(
      `SELECT source_id, type, if(type = 'track', name, '') AS name, toFloat64(count()) AS events FROM event
        WHERE time >= fromUnixTimestamp64Milli({since:Int64}) GROUP BY source_id, type, name ORDER BY events DESC, type, name LIMIT 500`,
      { since },
    ),
    clickhouse.query<{ path: string }>(
      `SELECT arrayJoin(arrayConcat(
                arrayMap(path -> concat('traits.', path), JSONAllPaths(traits)),
                arrayMap(path -> concat('properties.', path), JSONAllPaths(properties)),
                arrayMap(path -> concat('context.', path), JSONAllPaths(context)))) AS path, count() AS events
         FROM (SELECT traits, properties, context FROM event WHERE time >= fromUnixTimestamp64Milli({since:Int64}) LIMIT {sampled:UInt32})
        GROUP BY path ORDER BY events DESC, path LIMIT 500`,
      { since, sampled },
    ),
  ])
  return {
    events: events.flatMap((row) => {
      const type = EventType.safeParse(row.type)
      return type.success
        ? [
            {
              sourceId: row.source_id,
              type: type.data,
              name: row.name === '' ? null : row.name,
              events: row.events,
            },
          ]
        : []
    }),
    fields: [...always, ...fields.map((row) => row.path)]
      .filter((path) => FieldPath.safeParse(path).success)
      .map((path) => ({ path, label: labelOfPath(path), sensitivity: sensitivityOfPath(path) })),
  }
}
