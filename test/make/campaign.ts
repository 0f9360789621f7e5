import type { App } from '../../apps/server/build.ts'
import type { Id } from '../../lib/ids/ids.ts'
import type { Clock } from '../../platform/clock/clock.ts'
import type { Caller } from '../../platform/http/caller.ts'
import type { Body } from '../../modules/content/contract.ts'
import type { RequestView } from '../../modules/requests/contract.ts'
import type { KeyKind } from '../../modules/policy/contract.ts'
import { aCaller } from './callers.ts'

/** The people who work on campaigns: who makes them, and one holder of each kind of key. */
export interface Staff {
  author: Caller
  marketing: Caller
  it: Caller
  protection: Caller
}

/** A company that may send: people on both sides, an owned mail route, a sender. Returns the sender with them. */
export async function moveIn(app: App, clock: Clock): Promise<{ staff: Staff; senderId: Id<'sender'> }> {
  const { accounts, postgres, tools, channels } = app
  const caller = (side: 'marketing' | 'it', role: 'member' | 'approver' | 'protection') =>
    aCaller(accounts, postgres, side, [role], clock.ms())
  const staff: Staff = {
    author: await caller('marketing', 'member'),
    marketing: await caller('marketing', 'approver'),
    it: await caller('it', 'approver'),
    protection: await caller('it', 'protection'),
  }
  await tools.change(staff.author, await channels.prepareRoute(), {
    ownerMarketing: staff.marketing.accountId,
    ownerIt: staff.it.accountId,
  })
  const senderId = await postgres.transaction((tx) =>
    channels.createSenderAs(tx, { kind: 'system', id: 'test' }, 'Lindqvist & Töchter', 'hej@news.lindqvist.example'),
  )
  return { staff, senderId }
}

/** One customer: traits as a source tells them, and whether they agreed to the topic `news`. */
export interface Customer {
  userId: string
  traits: Record<string, unknown>
  agreed: boolean
}

/** Customers come in as everybody does: by events, each with the consent that they gave. Resolves when they can be found and mailed. */
export async function letIn(app: App, customers: readonly Customer[]): Promise<void> {
  const source =
    app.sources.list().find((one) => one.name === 'Läden & “web”') ??
    (await app.postgres.transaction((tx) =>
      app.sources.createAs(tx, { kind: 'system', id: 'test' }, { name: 'Läden & “web”', kind: 'server' }),
    ))
  await app.sources.load()
  const events = customers.flatMap(({ userId, traits, agreed }) => [
    { type: 'identify', userId, traits },
    ...(agreed
      ? [{ type: 'track', event: 'Consent Given', userId, properties: { topic: 'news', email: traits['email'] } }]
      : []),
  ])
  for (let at = 0; at < events.length; at += 1_000)
    await app.collect.accept(source, events.slice(at, at + 1_000), 'test')
  await app.collect.drained()
}

export const aLetter: Body = {
  subject: 'Ljus till kvällen, {{ person.firstName | default: "vän" }}',
  preheader: 'Lampor och lite tålamod.',
  design: {
    kind: 'blocks',
    blocks: [
      { kind: 'heading', text: 'Det blir mörkt, och det är bra' },
      { kind: 'text', text: 'Hej {{ person.firstName | default: "vän" }}, lamporna är tillbaka.' },
      { kind: 'button', text: 'Se lamporna', href: 'https://shop.lindqvist.example/new?from=mail&a=å' },
    ],
  },
}

export interface Asked {
  broadcastId: Id<'broadcast'>
  templateId: Id<'template'>
  segmentId: Id<'segment'>
  request: RequestView
}

/** A broadcast to everybody with the trait `cohort`, and the request for it; no key yet. */
export async function ask(
  app: App,
  staff: Staff,
  of: { senderId: Id<'sender'>; cohort: string; body?: Body },
): Promise<Asked> {
  const { content, segments, journeys, requests } = app
  const template = await content.create(staff.author, `Letter to ${of.cohort}`, of.body ?? aLetter)
  const segment = await segments.create(staff.author, of.cohort, {
    match: 'all',
    groups: [
      { match: 'all', of: [{ kind: 'trait', field: 'cohort', test: { is: 'equal', value: of.cohort } }], not: false },
    ],
  })
  const broadcast = await journeys.create(staff.author, {
    name: `To ${of.cohort}`,
    templateId: template.id,
    segmentId: segment.id,
    senderId: of.senderId,
    topicId: 'news',
    sendAt: null,
  })
  const request = await requests.open(staff.author, 'broadcast', broadcast.id, '')
  return { broadcastId: broadcast.id, templateId: template.id, segmentId: segment.id, request }
}

/** Every key that the request waits for, each by a person of its side with a fresh proof of presence. */
export async function giveKeys(app: App, staff: Staff, clock: Clock, request: RequestView): Promise<RequestView> {
  let now = request
  for (const { kind, state } of request.keys)
    if (state !== 'given') now = await giveKey(app, staff, clock, request, kind)
  return now
}
export const giveKey = (app: App, staff: Staff, clock: Clock, request: RequestView, kind: KeyKind) =>
  app.requests.giveKey({ ...staff[kind], steppedUpAtMs: clock.ms() }, request.id, request.releaseHash, kind, undefined)
