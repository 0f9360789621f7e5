import { announcements, type Announcements } from '../../../lib/announce/announce.ts'
import { normaliseEmail } from '../../../lib/email/email.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Secrets } from '../../../platform/secrets/secrets.ts'
import type { Actor } from '../../audit/contract.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { SourceKind } from '../../sources/contract.ts'
import {
  TopicId,
  type ConsentState,
  type LiftReason,
  type Standing,
  type SuppressionReason,
  type Topic,
  type UnknownTopic,
} from '../contract.ts'
import { emailIn, recordOf, saysConsent, wordingHash, type ConsentEvent, type ReadConsent } from './from-events.ts'
import { readToken, writeToken, type MailRef } from './links.ts'
import { consentStore } from './store.ts'

/** How many topics there may be; more come from a faulty feed. */
const mostTopics = 200
/** How many names of unknown topics are kept for each source. */
const mostUnknown = 50

export interface ConsentNeeds {
  postgres: Postgres
  clock: Clock
  secrets: Secrets
  audit: Audit
  log: Log
  publicUrl(): string
  /** What a source is: how far its events are believed. Undefined for one that is gone. */
  sourceKind(sourceId: string): Promise<SourceKind | undefined>
  /** Someone changed the name or the words of a topic, within the transaction of the change. */
  changed(tx: Postgres, topicId: string, by: Actor): Promise<void>
}

/** Somebody used the unsubscribe link of a mail, by one click or on the page. May be told more than once for the same mail. */
export interface Unsubscribed extends MailRef {
  at: Date
  /** `topic` stopped one topic, `marketing` all of them. */
  scope: 'topic' | 'marketing'
}

export interface Consent {
  /** As they are, or as they are within a transaction that decides. */
  topics(tx?: Postgres): Promise<Topic[]>
  /** Hex HMAC-SHA256 of the normalised address: the key of everything here. An address that is none has a key too, which nothing else has. */
  addressKey(email: string): string
  /** Appends decisions. The same `origin` again changes nothing. @returns how many were new */
  record(
    tx: Postgres,
    records: readonly {
      email: string
      topic: string
      state: ConsentState
      basis: string
      source: string
      at: Date
      origin: string
      proof?: string
    }[],
  ): Promise<number>
  /**
   * Records what the events “Consent Given”, “Consent Denied” and “Consent Withdrawn” say, believed as far as their source is; safe to run again
   * with the same events. Events that name no address are asked of `emailOf`. Only trusted sources make topics.
   * @returns how many records were new, and how many events had no address or no topic
   */
  recordEvents(
    events: readonly ConsentEvent[],
    emailOf?: (event: ConsentEvent) => Promise<string | undefined>,
  ): Promise<{ recorded: number; withoutAddress: number; withoutTopic: number }>
  /** What one event said about consent: in a sentence, with the records that it made. */
  explainEvent(event: ConsentEvent): Promise<{ says: string; facts: { label: string; says: string }[] }>
  /** Never mail this address again within `scope`: `*` nothing at all (hard bounce), `marketing`, or a topic. */
  suppress(
    tx: Postgres,
    row: { addressKey: string; scope: string; reason: SuppressionReason; source: string },
  ): Promise<void>
  /** For List-Unsubscribe and for the foot of a mail: GET shows a page, POST unsubscribes (RFC 8058). */
  unsubscribeUrl(ref: MailRef): string
  preferenceUrl(ref: MailRef): string
  /** What a link was in; undefined when it is forged. */
  readLink(token: string): MailRef | undefined
  /** Does what the link says, any number of times. */
  unsubscribe(ref: MailRef, scope: 'topic' | 'marketing', how: 'one-click' | 'page'): Promise<void>
  /** What a person chose on their own page: exactly these listed topics. Lifts what they had refused before, never a bounce or complaint. */
  choose(ref: MailRef, wanted: ReadonlySet<string>): Promise<void>
  standing(addressKey: string): Promise<Standing>
  setTopic(caller: Caller, topic: Topic): Promise<Topic>
  suppressByHand(caller: Caller, email: string, scope: string): Promise<Standing>
  liftByHand(caller: Caller, email: string, scope: string, because: LiftReason): Promise<Standing>
  countedTopics(): Promise<(Topic & { granted: number; withdrawn: number })[]>
  /** Topics that events named and that are none, most events first. */
  unknownTopics(): Promise<UnknownTopic[]>
  /** Keys of all addresses that a mail of this topic may go to now: what the claim of a send would say. */
  mailable(topic: string): Promise<Set<string>>
  /** Takes out the records of an address. Its suppressions stay: they hold only a keyed hash, and without them an import would bring it back. */
  eraseRecords(tx: Postgres, addressKey: string): Promise<number>
  unsubscribed: Announcements<Unsubscribed>
}

/** Who agreed to what, in which words, and who must not be mailed. */
export function createConsent(needs: ConsentNeeds): Consent {
  const { postgres, clock, secrets, audit, log } = needs
  const store = consentStore(postgres)
  const unsubscribed = announcements<Unsubscribed>()
  const addressKey = (email: string) => secrets.digest('address', normaliseEmail(email) ?? `not an address: ${email}`)
  const link = (kind: 'u' | 'p', ref: MailRef) =>
    `${needs.publicUrl().replace(/\/$/, '')}/${kind}/${writeToken(secrets, ref)}`

  async function needTopics(
    tx: Postgres,
    ids: readonly string[],
    names: ReadonlyMap<string, string> = new Map(),
  ): Promise<Set<string>> {
    const inside = consentStore(tx)
    const known = new Set((await inside.topics()).map((topic) => topic.id))
    const missing = [...new Set(ids)].filter((id) => !known.has(id))
    if (missing.length === 0) return known
    await inside.discoverTopics(
      missing.map((id) => ({ id, name: names.get(id) ?? id })),
      'As the form said that the decision came from.',
      mostTopics,
      clock.now(),
    )
    return new Set((await inside.topics()).map((topic) => topic.id))
  }

  /** The events are kept as events; here staff see that somebody asks for a topic that is none. Run again after a crash it may count twice. */
  async function noteUnknown(inside: ReturnType<typeof consentStore>, lost: readonly ReadConsent[]): Promise<void> {
    if (lost.length === 0) return
    const counted = new Map<string, { sourceId: string; topic: string; name: string; events: number }>()
    for (const { sourceId, topic, spelled } of lost) {
      const key = `${sourceId} ${topic}`
      const known = counted.get(key) ?? { sourceId, topic, name: spelled, events: 0 }
      counted.set(key, { ...known, events: known.events + 1 })
    }
    await inside.countUnknown([...counted.values()], mostUnknown, clock.now())
    log.warn('consent for topics that are none was not recorded', { events: lost.length, names: counted.size })
  }

  /** A decision made on our own pages: dated now, so it always counts. */
  async function ownChoice(tx: Postgres, ref: MailRef, topic: string, state: ConsentState, source: string, at: Date) {
    const inside = consentStore(tx)
    const found = (await inside.topics()).find((one) => one.id === topic)
    const wording = state === 'granted' && found !== undefined ? found.wording : undefined
    if (wording !== undefined) await inside.keepWordings([{ hash: wordingHash(wording), text: wording }], at)
    await inside.append(
      [
        {
          addressKey: ref.addressKey,
          channel: 'email',
          topic,
          state,
          basis: 'own_choice',
          wordingHash: wording === undefined ? null : wordingHash(wording),
          source,
          at,
          weak: false,
          proof: ref.message,
          origin: `${source} ${ref.message} ${topic} ${state} ${at.toISOString()}`,
        },
      ],
      at,
    )
  }

  async function standing(address: string): Promise<Standing> {
    const [topics, latest, suppressions, records] = await Promise.all([
      store.topics(),
      store.latest(address),
      store.suppressions(address),
      store.records(address, 50),
    ])
    const scopes = new Set(suppressions.map((one) => one.scope))
    return {
      topics: topics.map((topic) => {
        const now = latest.find((one) => one.topic_id === topic.id)
        return {
          ...topic,
          state: now?.state ?? null,
          since: now?.at.toISOString() ?? null,
          mailable: now?.state === 'granted' && !scopes.has('*') && !scopes.has('marketing') && !scopes.has(topic.id),
        }
      }),
      suppressions: suppressions.map((one) => ({ ...one, at: one.at.toISOString() })),
      records: records.map((one) => ({
        topic: one.topic_id,
        channel: one.channel,
        state: one.state,
        basis: one.basis,
        source: one.source,
        at: one.at.toISOString(),
        recordedAt: one.recorded_at.toISOString(),
        proof: one.proof,
        wording: one.wording,
      })),
    }
  }

  async function tell(ref: MailRef, scope: 'topic' | 'marketing', at: Date): Promise<void> {
    // The decision is stored; a listener that fails must not make the one-click answer anything but 200.
    try {
      await unsubscribed.announce({ ...ref, scope, at })
    } catch (error) {
      log.error('an unsubscribe is in force, but could not be told to others', error, { message: ref.message })
    }
  }

  return {
    topics: (tx) => (tx === undefined ? store : consentStore(tx)).topics(),
    addressKey,
    async record(tx, records) {
      const topics = await needTopics(
        tx,
        records.map((one) => one.topic),
      )
      return consentStore(tx).append(
        records
          .filter((one) => topics.has(one.topic))
          .map(({ email, ...one }) => ({
            ...one,
            addressKey: addressKey(email),
            channel: 'email',
            wordingHash: null,
            weak: false,
            proof: one.proof ?? null,
          })),
        clock.now(),
      )
    },
    async explainEvent(event) {
      if (!saysConsent(event)) return { says: 'It says nothing about consent.', facts: [] }
      const records = await store.recordedBy(`event ${event.sourceId} ${event.messageId}`)
      return {
        says:
          records.length === 0
            ? 'It speaks of consent and changed nothing: it names no address, no known topic, or says what was on record already.'
            : 'It was put on record.',
        facts: records.map((one) => ({
          label: one.topic,
          says: `${one.state}, on the basis of ${one.basis}, decided ${one.at.toISOString()}`,
        })),
      }
    },
    async recordEvents(events, emailOf) {
      const read: ReadConsent[] = []
      let withoutAddress = 0
      const kinds = new Map<string, SourceKind | undefined>()
      for (const event of events) {
        if (!saysConsent(event)) continue
        const email = emailIn(event) ?? (await emailOf?.(event))
        const normal = email === undefined ? undefined : normaliseEmail(email)
        if (!kinds.has(event.sourceId)) kinds.set(event.sourceId, await needs.sourceKind(event.sourceId))
        const found =
          normal === undefined ? undefined : recordOf(event, addressKey(normal), kinds.get(event.sourceId), clock)
        if (found === undefined) withoutAddress += 1
        else read.push(found)
      }
      if (read.length === 0) return { recorded: 0, withoutAddress, withoutTopic: 0 }
      const done = await postgres.transaction(async (tx) => {
        const inside = consentStore(tx)
        const believed = read.filter((one) => one.trusted)
        const topics = await needTopics(
          tx,
          believed.map((one) => one.topic),
          new Map(believed.map((one) => [one.topic, one.spelled])),
        )
        const rows = read.filter((one) => topics.has(one.topic))
        await noteUnknown(
          inside,
          read.filter((one) => !topics.has(one.topic)),
        )
        const wordings = new Map(
          rows.flatMap((row) =>
            row.wording === undefined || row.wordingHash === null ? [] : [[row.wordingHash, row.wording] as const],
          ),
        )
        await inside.keepWordings(
          [...wordings].map(([hash, text]) => ({ hash, text })),
          clock.now(),
        )
        const confirmed = rows.filter((row) => row.confirmed)
        if (confirmed.length > 0)
          await inside.liftConfirmed(
            confirmed.map((row) => row.addressKey),
            confirmed.map((row) => row.topic),
            confirmed.map((row) => row.at),
          )
        return { recorded: await inside.append(rows, clock.now()), withoutTopic: read.length - rows.length }
      })
      return { ...done, withoutAddress }
    },
    async suppress(tx, row) {
      await consentStore(tx).suppress(row.addressKey, row.scope, row.reason, row.source, clock.now())
    },
    unsubscribeUrl: (ref) => link('u', ref),
    preferenceUrl: (ref) => link('p', ref),
    readLink: (token) => readToken(secrets, token),
    async unsubscribe(ref, scope, how) {
      const at = clock.now()
      await postgres.transaction(async (tx) => {
        const inside = consentStore(tx)
        const known = await needTopics(tx, [ref.topic])
        const topics = scope === 'topic' ? [ref.topic] : [...known]
        const added = await inside.suppress(
          ref.addressKey,
          scope === 'topic' ? ref.topic : 'marketing',
          'unsubscribed',
          `${how} ${ref.message}`,
          at,
        )
        if (!added) return
        for (const topic of topics) if (known.has(topic)) await ownChoice(tx, ref, topic, 'withdrawn', how, at)
      })
      await tell(ref, scope, at)
    },
    async choose(ref, wanted) {
      const at = clock.now()
      let stopped = false
      await postgres.transaction(async (tx) => {
        const inside = consentStore(tx)
        const latest = new Map((await inside.latest(ref.addressKey)).map((one) => [one.topic_id, one.state]))
        const scopes = new Set((await inside.suppressions(ref.addressKey)).map((one) => one.scope))
        const all = (await inside.topics()).filter((topic) => topic.listed || topic.id === ref.topic)
        // Who had stopped everything and now wants one topic must not get the others with it.
        const chosen = all.filter((topic) => wanted.has(topic.id)).map((topic) => topic.id)
        if (chosen.length > 0) await inside.lift(ref.addressKey, ['marketing', ...chosen], ['unsubscribed'])
        for (const topic of all) {
          const state = wanted.has(topic.id) ? 'granted' : 'withdrawn'
          const had = latest.get(topic.id) === 'granted' && !scopes.has(topic.id) && !scopes.has('marketing')
          if (state === 'withdrawn') {
            await inside.suppress(ref.addressKey, topic.id, 'unsubscribed', `page ${ref.message}`, at)
            stopped ||= had && topic.id === ref.topic
          }
          if (had !== wanted.has(topic.id)) await ownChoice(tx, ref, topic.id, state, 'preference page', at)
        }
      })
      if (stopped) await tell(ref, 'topic', at)
    },
    standing,
    async setTopic(caller, topic) {
      await postgres.transaction(async (tx) => {
        const inside = consentStore(tx)
        const before = await inside.lockTopic(topic.id)
        if (before === undefined && (await inside.topics()).length >= mostTopics)
          throw new Refusal(
            'not_now',
            `There are ${String(mostTopics)} topics, the most there can be. Give one that is no longer used another name and other words instead.`,
          )
        await inside.setTopic(topic, clock.now())
        await inside.keepWordings([{ hash: wordingHash(topic.wording), text: topic.wording }], clock.now())
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'topic.described',
          object: { kind: 'topic', id: topic.id },
          summary: 'described a topic',
          facts: { wording: wordingHash(topic.wording), listed: topic.listed },
        })
        await inside.forgetUnknown(topic.id)
        // What people sign names the topic and its words; whether it is offered, and how it is described, is free.
        if (before !== undefined && (before.name !== topic.name || before.wording !== topic.wording))
          await needs.changed(tx, topic.id, actorOf(caller))
      })
      return topic
    },
    async suppressByHand(caller, email, scope) {
      const address = addressOf(email)
      await postgres.transaction(async (tx) => {
        if (scope !== '*' && scope !== 'marketing') await needKnownTopic(tx, scope)
        await consentStore(tx).suppress(address, scope, 'by hand', actorOf(caller).id, clock.now())
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'address.suppressed',
          object: { kind: 'address', id: address.slice(0, 16) },
          summary: 'put an address on the suppression list',
          facts: { scope },
        })
      })
      return standing(address)
    },
    async liftByHand(caller, email, scope, because) {
      const address = addressOf(email)
      await postgres.transaction(async (tx) => {
        const lifted = await consentStore(tx).lift(address, [scope], ['bounced', 'by hand'])
        if (lifted === 0)
          throw new Refusal(
            'not_now',
            'Nothing to take back here: what a person chose, or complained about, only that person takes back.',
          )
        await audit.write(tx, {
          actor: actorOf(caller),
          deed: 'address.suppression_lifted',
          object: { kind: 'address', id: address.slice(0, 16) },
          summary: 'took an address off the suppression list',
          facts: { scope, because },
        })
      })
      return standing(address)
    },
    countedTopics: () => store.countedTopics(),
    unknownTopics: async () =>
      (await store.unknownTopics()).map((one) => ({ ...one, lastAt: one.lastAt.toISOString() })),
    mailable: (topic) => store.mailable(topic),
    eraseRecords: (tx, address) => consentStore(tx).erase(address),
    unsubscribed,
  }

  function addressOf(email: string): string {
    if (normaliseEmail(email) === undefined) throw new Refusal('bad_input', 'This is not an e-mail address.')
    return addressKey(email)
  }
  async function needKnownTopic(tx: Postgres, id: string): Promise<void> {
    if (!TopicId.safeParse(id).success || !(await consentStore(tx).topics()).some((topic) => topic.id === id))
      throw new Refusal('not_found', 'There is no such topic.')
  }
}
