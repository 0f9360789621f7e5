import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Consent } from '../../consent/server/index.ts'
import type { SegmentDefinition } from '../../segments/contract.ts'
import type { Segments } from '../../segments/server/index.ts'

/** Members with where to reach them, in chunks. */
export async function* reachable(
  postgres: Postgres,
  segments: Pick<Segments, 'members'>,
  consent: Pick<Consent, 'addressKey'>,
  definition: SegmentDefinition,
): AsyncGenerator<{ profileId: string; address: string | undefined; addressKey: string | undefined }[]> {
  for await (const ids of segments.members(definition)) {
    const rows = await postgres.query<{ profile_id: string; email: string | null }>(
      'SELECT profile_id, email FROM profiles.contact WHERE profile_id = ANY($1)',
      [ids],
    )
    const emails = new Map(rows.map((row) => [row.profile_id, row.email]))
    yield ids.map((profileId) => {
      const address = emails.get(profileId) ?? undefined
      return { profileId, address, addressKey: address === undefined ? undefined : consent.addressKey(address) }
    })
  }
}

export interface Coverage {
  people: number
  withAddress: number
  addresses: number
  /** Addresses that agreed to the topic and are not suppressed: who would get it now. */
  mailable: number
}

/** Who of an audience would get a mail of a topic now. */
export async function coverageOf(
  postgres: Postgres,
  segments: Pick<Segments, 'members'>,
  consent: Pick<Consent, 'addressKey'>,
  definition: SegmentDefinition,
  topic: string,
): Promise<Coverage> {
  const keys = new Set<string>()
  let people = 0
  let withAddress = 0
  for await (const rows of reachable(postgres, segments, consent, definition)) {
    people += rows.length
    for (const row of rows)
      if (row.addressKey !== undefined) {
        withAddress += 1
        keys.add(row.addressKey)
      }
  }
  const [row] = await postgres.query<{ n: number }>(
    `SELECT count(*) AS n FROM unnest($1::text[]) AS a (key)
     WHERE EXISTS (SELECT 1 FROM consent.mailable_topic c WHERE c.address_key = a.key AND c.topic_id = $2 AND c.state = 'granted')
       AND NOT EXISTS (SELECT 1 FROM consent.suppressed s WHERE s.address_key = a.key AND s.channel = 'email' AND s.scope IN ('*', 'marketing', $2))`,
    [[...keys], topic],
  )
  return { people, withAddress, addresses: keys.size, mailable: row?.n ?? 0 }
}

/**
 * The most people that a key covers: the size with a tenth of room, rounded up to two digits. It stays while the audience is between
 * half of it and all of it, so a person who comes or goes voids no key.
 */
export function bandOf(people: number, agreed: number | null): number {
  if (agreed !== null && people <= agreed && people > agreed / 2) return agreed
  const room = Math.ceil(people * 1.1)
  const unit = 10 ** Math.max(0, String(room).length - 2)
  return Math.ceil(room / unit) * unit
}
