import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Log } from '../../../platform/log/log.ts'
import { openSmtp, type SmtpConnection, type SmtpOutcome } from '../../../platform/mail/smtp.ts'
import {
  dropTransmitJournal,
  openTransmitJournal,
  readTransmitJournals,
  type TransmitJournal,
} from '../../../platform/mail/transmit-journal.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { Secrets } from '../../../platform/secrets/secrets.ts'
import { RenderFailure } from '../../content/server/index.ts'
import type { Consent } from '../../consent/server/index.ts'
import type { Requests } from '../../requests/server/index.ts'
import { ledger, sealOf, type Claimed, type Completion } from './ledger.ts'
import type { TrackingLinks } from './links.ts'
import { materialOf, writerOf, type Parts } from './material.ts'
import { messageEvent } from './message-events.ts'
import { meaningOf, recovered, type Meaning } from './outcome.ts'
import { broadcastStore } from './store.ts'

export interface Sender {
  /** First accounts for what workers before it left, then sends whatever may leave. */
  start(): Promise<void>
  /** Lets the mails that are under way end, gives the others back. */
  stop(): Promise<void>
  /** Something may leave now: look at once. */
  wake(): void
  /** How it stands, for /health/ready. */
  health(): { ok: boolean; finding: string }
}

export interface SenderNeeds {
  postgres: Postgres
  clock: Clock
  ids: Ids
  log: Log
  secrets: Secrets
  requests: Pick<Requests, 'recheck' | 'halt' | 'finished'>
  parts: Parts
  consent: Pick<Consent, 'suppress' | 'unsubscribeUrl'>
  links: TrackingLinks
  smtpUrl: () => string
  /** Where the transmit journal lives. */
  directory: string
  /** Each line of the journal on disk before the dot: survives a power cut, one fdatasync for each mail. */
  durable?: boolean
  connections?: number
  /** Traits of people, under whichever profile they are known now. */
  people: (ids: readonly string[]) => Promise<Map<string, { name: string; traits: Record<string, unknown> }>>
}

type Writer = ReturnType<typeof writerOf>
interface Item {
  row: Claimed
  from: string
  write: Writer
  name: string
  traits: Record<string, unknown> | undefined
}

/** At most so many messages are claimed and not completed: what a withdrawn key cannot call back. */
const batch = 100
/** An edit that is committed between two statements of a claim must not get into its mails. */
const oneState = { isolation: 'repeatable read' } as const
const leaseMs = 15 * 60_000
const mailsPerConnection = 500
const flushEveryMs = 250
/** The journal is cleared after so many mails, when nothing is under way. */
const journalMails = 20_000

/** Claims, renders, transmits and completes what the ledger holds, over so many connections. */
export function createSender(needs: SenderNeeds): Sender {
  const { postgres, clock, log, requests } = needs
  const owner: string = needs.ids.next('worker')
  const stopping = new AbortController()
  const queue: Item[] = []
  const done: Meaning[] = []
  const about = new Map<string, Claimed>()
  let underWay = 0
  let journal: TransmitJournal | undefined
  let sinceCleared = 0
  let failures = 0
  let restUntilMs = 0
  let lastProblem = ''
  let running: Promise<void> | undefined
  let alarm = new AbortController()
  const renders = new Map<string, { made: number; failed: number; inARow: number }>()

  const wake = () => {
    alarm.abort()
    alarm = new AbortController()
  }
  const pause = async (broadcastId: string, because: string) => {
    const paused = await broadcastStore(postgres).move(broadcastId, ['live'], 'paused', because)
    if (paused) log.warn('a broadcast was paused', { broadcast: broadcastId, because })
  }

  /** Takes up to one batch of a broadcast, under everything that is asked again. @returns how many rows moved */
  async function claim(broadcastId: string, releaseHash: string): Promise<number> {
    let taken: { rows: Claimed[]; moved: number; make: () => { from: string; write: Writer } } | undefined
    try {
      taken = await postgres.transaction(async (tx) => {
        // The closure now must be what the keys are on; reads and claim see one state.
        await requests.recheck(tx, releaseHash)
        const row = await broadcastStore(tx).get(broadcastId)
        if (row === undefined) return undefined
        const now = clock.now()
        const rows = await ledger(tx).claim(
          broadcastId,
          releaseHash,
          owner,
          now,
          new Date(now.getTime() + leaseMs),
          batch - queue.length - underWay,
        )
        const material = await materialOf(tx, needs.parts, row)
        return {
          rows: rows.filter((one) => one.state === 'claimed'),
          moved: rows.length,
          make: () => ({
            from: material.sender.address,
            write: writerOf({ ...material, broadcastId }, needs),
          }),
        }
      }, oneState)
    } catch (error) {
      if (error instanceof Refusal && error.code === 'needs_agreement') {
        await requests.halt(releaseHash, error.message)
        await broadcastStore(postgres).move(broadcastId, ['live'], 'halted', error.message)
        return 0
      }
      if (error instanceof Refusal && error.code === 'not_now') {
        await pause(broadcastId, error.message)
        return 0
      }
      throw error
    }
    if (taken === undefined || taken.moved === 0) {
      if (about.size === 0) await finish(broadcastId)
      return 0
    }
    if (taken.rows.length > 0) {
      const { from, write } = taken.make()
      const people = await needs.people(taken.rows.map((row) => row.profile_id))
      for (const row of taken.rows) {
        const person = people.get(row.profile_id)
        about.set(row.id, row)
        queue.push({ row, from, write, name: person?.name ?? '', traits: person?.traits })
      }
    }
    return taken.moved
  }
  async function finish(broadcastId: string): Promise<void> {
    await postgres.transaction(async (tx) => {
      if (await broadcastStore(tx).finish(broadcastId, clock.now()))
        await requests.finished(tx, 'broadcast', broadcastId)
    })
    renders.delete(broadcastId)
  }

  const end = (row: Claimed, completion: Partial<Completion> & Pick<Completion, 'state' | 'reason'>): Meaning => ({
    completion: { id: row.id, counted: true, nextAt: clock.now(), code: null, text: null, ...completion },
    suppress: false,
    pause: undefined,
    slow: false,
  })

  /** The mail as it goes out, or the end of a message that cannot be made. */
  async function make(item: Item): Promise<string | Meaning> {
    const { row } = item
    const fits = sealOf(needs.secrets, {
      sendKey: row.send_key,
      releaseHash: row.release_hash,
      profileId: row.profile_id,
      address: row.address,
    })
    if (fits !== row.seal) {
      log.error('a row of the ledger was not written by planning', new Error('a seal that does not fit'), {
        message: row.id,
      })
      return end(row, { state: 'refused', reason: 'the row was not written by planning, so it was not sent' })
    }
    if (item.traits === undefined) return end(row, { state: 'cancelled', reason: 'the person is gone' })
    const tally = renders.get(row.broadcast_id) ?? { made: 0, failed: 0, inARow: 0 }
    renders.set(row.broadcast_id, tally)
    tally.made += 1
    try {
      const { data } = item.write({
        id: row.id,
        address: row.address,
        addressKey: row.address_key,
        name: item.name,
        traits: item.traits,
      })
      tally.inARow = 0
      return data
    } catch (error) {
      if (!(error instanceof RenderFailure) && !(error instanceof Refusal)) throw error
      tally.failed += 1
      tally.inARow += 1
      const because = error.message.slice(0, 500)
      if (tally.inARow >= 20 || (tally.made <= 1_000 && tally.failed >= 10))
        await pause(
          row.broadcast_id,
          `The template failed for ${String(tally.failed)} of the first ${String(tally.made)} people, the last time for ${row.profile_id}: ${because}`,
        )
      return end(row, { state: 'render_failed', reason: because })
    }
  }

  /** One connection's life: takes mails while there are any. */
  async function connection(): Promise<void> {
    let smtp: SmtpConnection | undefined
    try {
      for (;;) {
        if (stopping.signal.aborted || clock.ms() < restUntilMs) return
        const item = queue.shift()
        if (item === undefined) return
        underWay += 1
        try {
          const data = await make(item)
          if (typeof data !== 'string') {
            done.push(data)
            continue
          }
          if (smtp === undefined || !smtp.open || smtp.sent >= mailsPerConnection) {
            await smtp?.quit()
            smtp = undefined
            smtp = await openSmtp(needs.smtpUrl(), {
              beforeFinalDot: (id) => journal?.dot(id),
              afterAnswer: (id, code, text) => journal?.answer(id, code, text),
            })
          }
          const outcome = await smtp.send({ id: item.row.id, from: item.from, to: item.row.address, data })
          settle(item.row, outcome)
        } catch (error) {
          settle(item.row, {
            kind: 'not-sent',
            text: error instanceof Error ? error.message : 'the mail server cannot be reached',
          })
        } finally {
          underWay -= 1
        }
      }
    } finally {
      await smtp?.quit()
    }
  }
  function settle(row: Claimed, outcome: SmtpOutcome): void {
    const meaning = meaningOf(row.id, row.attempt, outcome, clock.now())
    done.push(meaning)
    sinceCleared += 1
    if (meaning.slow) {
      // One outage cuts every connection; it is one failure.
      if (clock.ms() >= restUntilMs) failures += 1
      lastProblem = 'text' in outcome ? outcome.text : ''
      restUntilMs = clock.ms() + Math.min(60_000, 1_000 * 2 ** Math.min(failures, 6))
      log.warn('the mail server needs a rest', {
        because: lastProblem,
        seconds: Math.round((restUntilMs - clock.ms()) / 1000),
      })
    } else if (outcome.kind === 'accepted') failures = 0
  }

  /** Writes what became of messages, with the events that tell of it, in one transaction. */
  async function flush(): Promise<void> {
    const meanings = done.splice(0)
    if (meanings.length === 0) return
    try {
      await complete(meanings)
    } catch (error) {
      done.unshift(...meanings)
      throw error
    }
    for (const { completion } of meanings) about.delete(completion.id)
    const pauses = new Map<string, string>()
    for (const meaning of meanings)
      if (meaning.pause !== undefined) {
        const broadcast = broadcastOf.get(meaning.completion.id)
        if (broadcast !== undefined) pauses.set(broadcast, meaning.pause)
      }
    broadcastOf.clear()
    for (const [broadcast, because] of pauses) await pause(broadcast, because)
  }
  const broadcastOf = new Map<string, string>()
  async function complete(meanings: readonly Meaning[]): Promise<void> {
    const byId = new Map(meanings.map((meaning) => [meaning.completion.id, meaning]))
    await postgres.transaction(async (tx) => {
      const at = clock.now()
      const rows = await ledger(tx).complete(
        meanings.map((meaning) => meaning.completion),
        at,
      )
      const events: object[] = []
      for (const row of rows) {
        broadcastOf.set(row.id, row.broadcast_id)
        const meaning = byId.get(row.id)
        if (meaning === undefined) continue
        const { state, reason, code } = meaning.completion
        if (state === 'accepted') events.push(messageEvent('Message Sent', row, at))
        else if (state === 'rejected')
          events.push(
            messageEvent('Message Bounced', row, at, { properties: { reason, code, hard: meaning.suppress } }),
          )
        else if (state === 'render_failed' || state === 'unknown')
          events.push(messageEvent('Message Failed', row, at, { properties: { reason, outcome: state } }))
      }
      await ledger(tx).tell(events)
      for (const meaning of meanings)
        if (meaning.suppress) {
          const key = about.get(meaning.completion.id)?.address_key ?? (await addressKeyOf(tx, meaning.completion.id))
          if (key !== undefined)
            await needs.consent.suppress(tx, {
              addressKey: key,
              scope: '*',
              reason: 'bounced',
              source: meaning.completion.id,
            })
        }
    })
  }
  async function addressKeyOf(tx: Postgres, id: string): Promise<string | undefined> {
    const [row] = await tx.query<{ address_key: string | null }>(
      'SELECT address_key FROM journeys.message WHERE id = $1',
      [id],
    )
    return row?.address_key ?? undefined
  }

  /** Accounts for rows that workers before this one held. Ends before anything is sent; may itself be killed and run again. */
  async function recover(): Promise<void> {
    const now = clock.now()
    for (const { owner: gone, messages } of readTransmitJournals(needs.directory, owner)) {
      const rows = await ledger(postgres).heldBy(gone)
      const meanings = rows.map((row) => recovered(row.id, row.attempt, messages.get(row.id), now))
      for (let at = 0; at < meanings.length; at += 500) await complete(meanings.slice(at, at + 500))
      broadcastOf.clear()
      dropTransmitJournal(needs.directory, gone)
      if (rows.length > 0)
        log.info('accounted for messages that a stopped sender held', {
          messages: rows.length,
          unknown: meanings.filter((meaning) => meaning.completion.state === 'unknown').length,
        })
    }
    const lost = await ledger(postgres).expired(now, owner)
    if (lost.length > 0) await complete(lost.map((row) => recovered(row.id, 0, { kind: 'dotted' }, now)))
    broadcastOf.clear()
  }

  async function giveBack(): Promise<void> {
    for (const item of queue.splice(0))
      done.push(
        end(item.row, {
          state: 'planned',
          counted: false,
          nextAt: new Date(Math.max(restUntilMs, clock.ms())),
          reason: lastProblem === '' ? null : lastProblem,
        }),
      )
    await flush()
  }

  async function loop(): Promise<void> {
    const workers = new Set<Promise<void>>()
    const most = needs.connections ?? 10
    let flushedMs = clock.ms()
    let claimedNothing = true
    while (!stopping.signal.aborted) {
      try {
        if (clock.ms() < restUntilMs) {
          if (workers.size === 0) await giveBack()
          await clock.sleep(Math.min(500, restUntilMs - clock.ms()), stopping.signal)
          continue
        }
        claimedNothing = true
        if (queue.length + underWay < batch / 2)
          for (const { id, release_hash } of await broadcastStore(postgres).live()) {
            if (queue.length + underWay >= batch) break
            if ((await claim(id, release_hash)) > 0) claimedNothing = false
          }
        while (workers.size < Math.min(most, queue.length + underWay)) {
          if (queue.length === 0) break
          const worker = connection().finally(() => workers.delete(worker))
          workers.add(worker)
        }
        // With nothing under way there is nothing to wait for.
        const idle = queue.length + underWay === 0 && done.length > 0
        if (idle || done.length >= batch / 2 || clock.ms() - flushedMs >= flushEveryMs) {
          await flush()
          flushedMs = clock.ms()
        }
        if (sinceCleared >= journalMails || (sinceCleared > 0 && claimedNothing && queue.length === 0)) {
          // Only when nothing is between its dot and the database may the journal be forgotten.
          await Promise.all(workers)
          await flush()
          if (queue.length === 0 && underWay === 0 && done.length === 0) {
            journal?.clear()
            sinceCleared = 0
          }
        }
        if (queue.length > 0 || underWay > 0) await clock.sleep(5)
        else if (claimedNothing && done.length === 0)
          await clock.sleep(500, AbortSignal.any([alarm.signal, stopping.signal]))
      } catch (error) {
        log.error('the sender stumbled and goes on', error)
        await clock.sleep(1_000, stopping.signal)
      }
    }
    await Promise.all(workers)
  }

  return {
    async start() {
      await recover()
      journal = openTransmitJournal(needs.directory, owner, needs.durable ?? false)
      running = loop()
    },
    async stop() {
      stopping.abort()
      await running
      await giveBack()
      journal?.close()
      dropTransmitJournal(needs.directory, owner)
    },
    wake,
    health: () =>
      clock.ms() < restUntilMs
        ? { ok: false, finding: `the mail server needs a rest: ${lastProblem}` }
        : { ok: true, finding: `${String(queue.length + underWay)} mails under way` },
  }
}
