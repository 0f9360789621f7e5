import { z } from 'zod'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { job, type Jobs } from '../../../platform/jobs/jobs.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { Secrets } from '../../../platform/secrets/secrets.ts'
import type { Actor } from '../../audit/contract.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { Channels } from '../../channels/server/index.ts'
import type { Consent } from '../../consent/server/index.ts'
import type { Content } from '../../content/server/index.ts'
import type { Requests } from '../../requests/server/index.ts'
import type { Segments } from '../../segments/server/index.ts'
import type { Tools } from '../../tools/server/index.ts'
import { type Broadcast, type Counts, type Message, type MessageState, type NewBroadcast } from '../contract.ts'
import { reachable } from './audience.ts'
import { comesBack } from './comes-back.ts'
import { broadcastKind, type KindNeeds } from './kind.ts'
import { ledger, sealOf } from './ledger.ts'
import { trackingLinks } from './links.ts'
import { materialOf } from './material.ts'
import { messageEvent } from './message-events.ts'
import { createOutbox } from './outbox.ts'
import { createSender } from './sender.ts'
import { broadcastStore, type BroadcastRow } from './store.ts'

export type GivenBroadcast = z.output<typeof NewBroadcast>

export interface Journeys {
  list(): Promise<Broadcast[]>
  get(id: Id<'broadcast'>): Promise<Broadcast>
  create(caller: Caller, given: GivenBroadcast): Promise<Broadcast>
  change(caller: Caller, id: Id<'broadcast'>, given: GivenBroadcast): Promise<Broadcast>
  pause(caller: Caller, id: Id<'broadcast'>): Promise<Broadcast>
  resume(caller: Caller, id: Id<'broadcast'>): Promise<Broadcast>
  messages(
    id: Id<'broadcast'>,
    state: MessageState | undefined,
    after: string | undefined,
  ): Promise<{ messages: Message[]; next: string | null }>
  /** Begins to send what may leave, after accounting for what a stopped sender held. */
  start(): Promise<void>
  stop(): Promise<void>
  health(): { ok: boolean; finding: string }
  /** The message event that has waited longest to be handed on, for /health/ready. */
  oldestUntold(): Promise<number | undefined>
  /** Message events that waited were handed on: tests, the bench. */
  told(): Promise<void>
  /** The public addresses of links and pictures, a Fastify plugin. */
  comesBack: ReturnType<typeof comesBack>
}

export interface JourneyNeeds {
  postgres: Postgres
  clock: Clock
  ids: Ids
  log: Log
  secrets: Secrets
  audit: Audit
  jobs: Jobs
  requests: Requests
  tools: Tools
  channels: Channels
  content: Content
  consent: Consent
  segments: Segments
  /** Where the transmit journal lives. */
  directory: string
  publicUrl: () => string
  fields: KindNeeds['fields']
  /** Traits of people, under whichever profile they are known now. */
  people: (ids: readonly string[]) => Promise<Map<string, { name: string; traits: Record<string, unknown> }>>
  /** Takes message events in as events of Interlock's own source; resolves when they are on disk. */
  hand: (events: readonly unknown[]) => Promise<void>
  connections?: number
  /** Each line of the transmit journal on disk before the dot. */
  durable?: boolean
}

const page = 100

/** Broadcasts: made and changed here, let go by a request alone, sent by the ledger. */
export function createJourneys(needs: JourneyNeeds): Journeys {
  const { postgres, clock, ids, audit, requests, segments, consent } = needs
  const links = trackingLinks(needs.secrets, needs.publicUrl)
  const parts = { content: needs.content, segments, channels: needs.channels, consent }
  const sender = createSender({ ...needs, parts, links, smtpUrl: () => needs.channels.smtpUrl() })
  const outbox = createOutbox(needs)

  const planJob = job(
    'journeys.plan',
    z.object({ broadcastId: z.string(), releaseHash: z.string() }),
    async ({ broadcastId, releaseHash }, signal) => {
      await plan(broadcastId, releaseHash, signal)
    },
  )
  needs.jobs.register(planJob)
  const planAt = (tx: Postgres, broadcastId: string, releaseHash: string, sendAt: Date | null) =>
    needs.jobs.enqueue(
      tx,
      planJob,
      { broadcastId, releaseHash },
      { key: `plan ${broadcastId}`, ...(sendAt === null ? {} : { runAt: sendAt }) },
    )

  requests.register(
    broadcastKind({
      ...needs,
      links,
      launched: (tx, broadcastId, clearance, sendAt) => planAt(tx, broadcastId, clearance.releaseHash, sendAt),
    }),
  )

  consent.unsubscribed.connect(async ({ message, at, scope }) => {
    const row = await ledger(postgres).get(message)
    if (row !== undefined)
      await ledger(postgres).tell([
        messageEvent('Message Unsubscribed', row, at, { key: scope, properties: { scope } }),
      ])
  })

  /** Writes one row for each member of the audience as it is now. Safe to run again; stops when the audience outgrew what was agreed. */
  async function plan(broadcastId: string, releaseHash: string, signal: AbortSignal): Promise<void> {
    const row = await broadcastStore(postgres).get(broadcastId)
    if (
      row?.state !== 'live' ||
      row.release_hash !== releaseHash ||
      row.planned_at !== null ||
      row.launched_at === null
    )
      return
    const material = await materialOf(postgres, parts, row)
    const of = {
      broadcastId,
      releaseHash,
      launchedAt: row.launched_at,
      topicId: row.topic_id,
      toolId: material.route.toolId,
      at: clock.now(),
    }
    const { people } = await segments.size(material.segment.definition)
    const most = row.at_most ?? 0
    if (people > most) {
      await requests.halt(
        releaseHash,
        `The audience grew to ${people.toLocaleString('en-GB')} people; the keys cover at most ${most.toLocaleString('en-GB')}.`,
      )
      return
    }
    // What a connection still holds from before gets its end, or waits again, before anything is planned over it.
    while ((await ledger(postgres).held(of)) > 0) {
      if (signal.aborted) throw new Error('planning was stopped; it is taken up again')
      await clock.sleep(250, signal)
    }
    let taken = 0
    for await (const members of reachable(postgres, segments, consent, material.segment.definition)) {
      if (signal.aborted) throw new Error('planning was stopped; it is taken up again')
      // What joined since the count above, beyond what was agreed, is left out.
      const room = members.slice(0, Math.max(0, most - taken))
      taken += room.length
      await postgres.transaction((tx) =>
        ledger(tx).plan(
          of,
          room.map((member) => ({ id: ids.next('message'), ...member })),
          (sendKey, profileId, address) => sealOf(needs.secrets, { sendKey, releaseHash, profileId, address }),
        ),
      )
      sender.wake()
    }
    await postgres.transaction(async (tx) => {
      await ledger(tx).cancelOthers(of, clock.now())
      await broadcastStore(tx).planned(broadcastId, releaseHash, clock.now())
    })
    sender.wake()
  }

  async function show(row: BroadcastRow): Promise<Broadcast> {
    const [template, segment, senderOf, topics, counts, waitsFor] = await Promise.all([
      needs.content.version(postgres, row.template_id),
      segments.version(postgres, row.segment_id),
      needs.channels.sender(postgres, row.sender_id),
      consent.topics(),
      ledger(postgres).counts(row.id),
      requests.waitsFor('broadcast', row.id),
    ])
    const topic = topics.find((one) => one.id === row.topic_id)
    return {
      id: row.id as Id<'broadcast'>,
      name: row.name,
      template: { id: row.template_id, name: template?.name ?? 'a template that is gone' },
      segment: { id: row.segment_id, name: segment?.name ?? 'a segment that is gone' },
      sender: {
        id: row.sender_id,
        name: senderOf === undefined ? 'a sender that is gone' : `${senderOf.name} <${senderOf.address}>`,
      },
      topic: { id: row.topic_id, name: topic?.name ?? row.topic_id },
      sendAt: row.send_at?.toISOString() ?? null,
      version: row.version,
      state: row.state,
      sentence: sentenceOf(row, counts, waitsFor, clock.now()),
      because: row.because,
      audience: row.audience,
      counts,
      releaseHash: row.release_hash,
      launchedAt: row.launched_at?.toISOString() ?? null,
      plannedAt: row.planned_at?.toISOString() ?? null,
      finishedAt: row.finished_at?.toISOString() ?? null,
      changedAt: row.changed_at.toISOString(),
      changedBy: row.by_name ?? 'Interlock',
    }
  }
  const one = async (id: string): Promise<Broadcast> => {
    const row = await broadcastStore(postgres).get(id)
    if (row === undefined) throw new Refusal('not_found', 'There is no such broadcast.')
    return show(row)
  }
  const valuesOf = (given: GivenBroadcast) => ({
    ...given,
    sendAt: given.sendAt === null ? null : new Date(given.sendAt),
  })
  /** What it refers to must exist now, so that nobody meets it first at launch. */
  async function check(tx: Postgres, given: GivenBroadcast): Promise<void> {
    if ((await needs.content.version(tx, given.templateId)) === undefined)
      throw new Refusal('bad_input', 'There is no such template.')
    if ((await segments.version(tx, given.segmentId)) === undefined)
      throw new Refusal('bad_input', 'There is no such segment.')
    if ((await needs.channels.sender(tx, given.senderId)) === undefined)
      throw new Refusal('bad_input', 'There is no such sender.')
    if (!(await consent.topics()).some((topic) => topic.id === given.topicId))
      throw new Refusal('bad_input', 'There is no such topic.')
  }
  const write = (tx: Postgres, actor: Actor, id: string, deed: string, summary: string) =>
    audit.write(tx, { actor, deed, object: { kind: 'broadcast', id }, summary })

  return {
    list: async () => Promise.all((await broadcastStore(postgres).list()).map(show)),
    get: one,
    async create(caller, given) {
      const id = ids.next('broadcast')
      await postgres.transaction(async (tx) => {
        await check(tx, given)
        await broadcastStore(tx).insert(id, valuesOf(given), caller.accountId, clock.now())
        await write(tx, actorOf(caller), id, 'broadcast.created', `made the broadcast “${given.name}”`)
      })
      return one(id)
    },
    async change(caller, id, given) {
      await postgres.transaction(async (tx) => {
        const row = await broadcastStore(tx).lock(id)
        if (row === undefined) throw new Refusal('not_found', 'There is no such broadcast.')
        if (row.state !== 'draft' && row.state !== 'halted')
          throw new Refusal(
            'not_now',
            `“${row.name}” is ${row.state}. Take its request back first; what is out is out.`,
          )
        await check(tx, given)
        await broadcastStore(tx).change(id, valuesOf(given), caller.accountId, clock.now())
        await write(tx, actorOf(caller), id, 'broadcast.changed', `changed the broadcast “${given.name}”`)
        await requests.changed(tx, 'broadcast', id, actorOf(caller))
      })
      return one(id)
    },
    async pause(caller, id) {
      await postgres.transaction(async (tx) => {
        if (!(await broadcastStore(tx).move(id, ['live'], 'paused', `${caller.name} paused it`)))
          throw new Refusal('not_now', 'Only a broadcast that is live can be paused.')
        await write(tx, actorOf(caller), id, 'broadcast.paused', 'paused a broadcast')
      })
      return one(id)
    },
    async resume(caller, id) {
      await postgres.transaction(async (tx) => {
        if (!(await broadcastStore(tx).move(id, ['paused'], 'live', null)))
          throw new Refusal('not_now', 'Only a broadcast that is paused can go on.')
        await write(tx, actorOf(caller), id, 'broadcast.resumed', 'let a broadcast go on')
        const row = await broadcastStore(tx).get(id)
        // Its time may have come while it was paused.
        if (row !== undefined && row.release_hash !== null && row.planned_at === null)
          await planAt(tx, id, row.release_hash, row.send_at)
      })
      sender.wake()
      return one(id)
    },
    async messages(id, state, after) {
      const rows = await postgres.query<{
        id: string
        profile_id: string
        name: string | null
        address: string | null
        state: MessageState
        attempt: number
        next_at: Date
        smtp_code: number | null
        smtp_text: string | null
        reason: string | null
        changed_at: Date
      }>(
        `SELECT m.id, m.profile_id, c.name, m.address, m.state, m.attempt, m.next_at, m.smtp_code, m.smtp_text, m.reason, m.changed_at
         FROM journeys.message m LEFT JOIN profiles.contact c ON c.profile_id = m.profile_id
         WHERE m.broadcast_id = $1 AND ($2::text IS NULL OR m.state = $2) AND ($3::text IS NULL OR m.id > $3) ORDER BY m.id LIMIT $4`,
        [id, state ?? null, after ?? null, page + 1],
      )
      const shown = rows.slice(0, page)
      return {
        messages: shown.map((row) => ({
          id: row.id,
          profileId: row.profile_id,
          name: row.name ?? '',
          address: row.address,
          state: row.state,
          attempt: row.attempt,
          nextAt: row.state === 'planned' ? row.next_at.toISOString() : null,
          smtp: row.smtp_code === null ? null : `${String(row.smtp_code)} ${row.smtp_text ?? ''}`,
          reason: row.reason,
          at: row.changed_at.toISOString(),
        })),
        next: rows.length > page ? (shown.at(-1)?.id ?? null) : null,
      }
    },
    async start() {
      outbox.start()
      await sender.start()
    },
    async stop() {
      await sender.stop()
      outbox.stop()
    },
    health: () => sender.health(),
    oldestUntold: () => outbox.oldest(),
    told: () => outbox.drained(),
    comesBack: comesBack({ ...needs, links }),
  }
}

/** @param waitsFor what its open request waits for; undefined when nobody asked */
function sentenceOf(row: BroadcastRow, counts: Counts, waitsFor: string | undefined, now: Date): string {
  const of = (row.audience ?? 0).toLocaleString('en-GB')
  const accepted = (counts.accepted ?? 0).toLocaleString('en-GB')
  switch (row.state) {
    case 'draft':
      return waitsFor === undefined
        ? 'A draft. Nothing goes out until a request for it has its keys.'
        : `A draft. It waits for ${waitsFor}.`
    case 'live':
      if (row.send_at !== null && row.send_at > now && row.planned_at === null)
        return `Agreed. It leaves on ${row.send_at.toISOString().slice(0, 16).replace('T', ' at ')} UTC.`
      return row.planned_at === null
        ? 'Agreed. Its messages are being planned.'
        : `Going out: ${accepted} of ${of} accepted so far.`
    case 'paused':
      return `Paused: ${row.because ?? 'somebody paused it'}. ${accepted} of ${of} are out.`
    case 'halted':
      return `Stopped: ${row.because ?? 'a key was withdrawn'}. ${accepted} are out; the rest waits for ${waitsFor ?? 'a new request'}.`
    case 'done': {
      const unknown = counts.unknown ?? 0
      return `Done: ${accepted} of ${of} accepted${unknown > 0 ? `, ${unknown.toLocaleString('en-GB')} unknown` : ''}.`
    }
  }
}
