import { join } from 'node:path'
import { Registry } from 'prom-client'
import { addAccountRoutes, createAccounts, createAuthorise } from '../../modules/accounts/server/index.ts'
import { addAuditRoutes, createAudit } from '../../modules/audit/server/index.ts'
import { addCapacityRoutes, createCapacity } from '../../modules/capacity/server/index.ts'
import { addChannelRoutes, createChannels } from '../../modules/channels/server/index.ts'
import {
  addCollectRoutes,
  createCollect,
  createReplays,
  readBrowserLibrary,
  relayEndpoint,
  trackerScript,
  trackingEndpoints,
  type EventInFlight,
  type PipelineStep,
} from '../../modules/collect/server/index.ts'
import { addConsentRoutes, consentPages, createConsent } from '../../modules/consent/server/index.ts'
import { addContentRoutes, createContent } from '../../modules/content/server/index.ts'
import { addCockpitRoutes, createCockpit } from '../../modules/cockpit/server/index.ts'
import { addDestinationRoutes, createDestinations, type Patience } from '../../modules/destinations/server/index.ts'
import type { Demo } from '../../modules/cockpit/contract.ts'
import { addFeedRoutes, createFeeds } from '../../modules/feeds/server/index.ts'
import { addIdentityRoutes, createDeciding, createIdentity } from '../../modules/identity/server/index.ts'
import { addImportRoutes, createImports } from '../../modules/imports/server/index.ts'
import { addInsightRoutes, createInsights } from '../../modules/insights/server/index.ts'
import { addJourneyRoutes, createJourneys } from '../../modules/journeys/server/index.ts'
import { Level } from '../../modules/policy/contract.ts'
import { addProfileRoutes, createProfiles } from '../../modules/profiles/server/index.ts'
import { addPullRoutes, createPulls } from '../../modules/pulls/server/index.ts'
import { addRequestRoutes, createRequests } from '../../modules/requests/server/index.ts'
import { addSegmentRoutes, createSegments } from '../../modules/segments/server/index.ts'
import { addSourceRoutes, createSources } from '../../modules/sources/server/index.ts'
import { addStandingImportRoutes, createStandingImports } from '../../modules/standing-imports/server/index.ts'
import { addTrackingPlanRoutes, createTrackingPlans } from '../../modules/tracking-plan/server/index.ts'
import { addWebhookRoutes, createWebhooks, webhookEndpoint } from '../../modules/webhooks/server/index.ts'
import { addStreamRoutes, createStreams } from '../../modules/streams/server/index.ts'
import type { Tool } from '../../modules/tools/contract.ts'
import { addToolRoutes, createTools } from '../../modules/tools/server/index.ts'
import type { Id } from '../../lib/ids/ids.ts'
import type { Clock } from '../../platform/clock/clock.ts'
import type { Config } from '../../platform/config/config.ts'
import { freeSpace } from '../../platform/data-dir/space.ts'
import { createEgress } from '../../platform/egress/open-egress.ts'
import { dialBy } from '../../platform/databases/open.ts'
import { createFiles } from '../../platform/files/files.ts'
import { createHttp } from '../../platform/http/server.ts'
import type { Authorise } from '../../platform/http/http.ts'
import { createJobs } from '../../platform/jobs/worker.ts'
import type { Log } from '../../platform/log/log.ts'
import { createIds, type Random } from '../../platform/random/random.ts'
import { clearCapacity, machine, measureCapacity } from '../../bench/capacity.ts'
import type { Engines } from './engines.ts'
import { healthChecks } from './health.ts'

export interface BuildNeeds {
  engines: Engines
  config: Config
  clock: Clock
  random: Random
  log: Log
  /** Where the server is reached; known once it listens. */
  publicUrl: () => string
  catcherUrl: () => string
  /** The built pages; undefined serves none. */
  pages: string | undefined
  /** What `/interlock.js` answers; without it there is no such address. */
  tracker?: Uint8Array | undefined
  /** Lets the command line of this machine in, beside people and API keys. */
  alsoLetIn?: Authorise
  demo?: { password: string; titles: Record<string, string>; state(): Demo; trickle(running: boolean): void }
  /** Connections to the mail server at a time. */
  connections?: number
  /** How patient destinations are, for tests. */
  patience?: Patience
}

const kindsAsCapability: Readonly<Record<string, Tool['capability']>> = {
  web: 'Site & Commerce',
  app: 'Site & Commerce',
  server: 'Site & Commerce',
  crm: 'Sales & Service',
  newsletter: 'Message',
}

/**
 * The product, put together: each module once, in the order in which they stand (calls go down), then the announcements (facts go up). Nothing is
 * decided here that a module could decide.
 */
export async function build(needs: BuildNeeds) {
  const { engines, config, clock, random, log, publicUrl } = needs
  const { postgres, clickhouse, secrets } = engines
  const ids = createIds(clock, random)
  const metrics = new Registry()
  const egress = createEgress({ allow: config.egressAllow, registry: metrics })
  const jobs = createJobs({ postgres, address: engines.address, log })

  const audit = createAudit({ postgres, clock, heads: { file: engines.auditHeads, secrets } })
  const accounts = createAccounts({
    postgres,
    clock,
    random,
    ids,
    audit,
    secrets,
    publicUrl,
    ...(needs.demo === undefined ? {} : { demo: needs.demo }),
  })
  const requests = createRequests({ postgres, clock, ids, audit, accounts })
  const tools = createTools({
    postgres,
    clock,
    ids,
    audit,
    async person(tx, id) {
      const found = await accounts.person(tx, id)
      return found === undefined ? undefined : { side: found.side, enabled: found.enabled }
    },
    changed: (tx, id, by) => requests.changed(tx, 'tool', id, by),
  })
  const sources = createSources({
    postgres,
    clock,
    ids,
    random,
    log,
    audit,
    registerTool: (tx, actor, tool) =>
      tools.createAs(tx, actor, {
        name: tool.name,
        vendor: '',
        capability: kindsAsCapability[tool.kind] ?? 'Collect',
        personalFields: [],
        region: 'EU',
        ownerMarketing: null,
        ownerIt: null,
        endsOn: null,
        costMinor: null,
        status: 'live',
      }),
  })
  const channels = createChannels({
    postgres,
    clock,
    ids,
    audit,
    secrets,
    tools,
    smtpUrl: config.smtpUrl,
    catcherUrl: needs.catcherUrl,
  })
  const consent = createConsent({
    postgres,
    clock,
    secrets,
    audit,
    log,
    publicUrl,
    sourceKind: async (id) => (await sources.get(id as Id<'source'>))?.kind,
    changed: (tx, id, by) => requests.changed(tx, 'topic', id, by),
  })
  const collect = createCollect({
    postgres,
    clickhouse,
    journal: engines.journal,
    index: engines.index,
    sources,
    audit,
    clock,
    log,
    registry: metrics,
  })
  const replays = createReplays({ postgres, clickhouse, clock, ids, log, jobs, audit, collect })
  const trackingPlans = createTrackingPlans({
    postgres,
    clickhouse,
    clock,
    log,
    audit,
    sources,
    names: (wanted) => accounts.names(wanted),
  })
  const identity = createIdentity({
    postgres,
    clickhouse,
    clock,
    ids,
    log,
    internalSource: () => sources.internal().id,
    // One that is not known here yet counts as public until it is.
    isOnDevice: (id) => ['web', 'app', undefined].includes(sources.peek(id)?.kind),
  })
  const profiles = createProfiles({ postgres, clickhouse, clock, identity, sources })
  const content = createContent({
    postgres,
    clock,
    ids,
    audit,
    channels,
    tools,
    accounts,
    stopped: async (email) =>
      (await consent.standing(consent.addressKey(email))).suppressions.some((one) => one.scope === '*'),
    person: async (id) => (await profiles.traitsOf([id])).get(id),
    changed: (tx, id, by) => requests.changed(tx, 'template', id, by),
  })
  const imports = createImports({
    postgres,
    clock,
    ids,
    log,
    files: createFiles(join(engines.directory, 'files')),
    jobs,
    audit,
    sources,
    collect,
  })
  const standingImports = createStandingImports({
    postgres,
    clock,
    ids,
    log,
    secrets,
    egress,
    jobs,
    audit,
    sources,
    imports,
    folders: config.importFolders,
    mayBePlain: (place) => config.egressAllow.includes(place),
    registry: metrics,
  })
  const pulls = createPulls({
    postgres,
    clock,
    ids,
    log,
    secrets,
    dial: dialBy(egress),
    egress,
    jobs,
    audit,
    sources,
    collect,
    registry: metrics,
  })
  const webhooks = createWebhooks({
    postgres,
    clock,
    ids,
    log,
    secrets,
    audit,
    sources,
    collect,
    publicUrl,
    registry: metrics,
  })
  const feeds = createFeeds({ postgres, clock, ids, log, audit, sources, egress, registry: metrics })
  const streams = createStreams({ postgres, clock, ids, audit, sources, collect })
  const segments = createSegments({
    postgres,
    clickhouse,
    clock,
    ids,
    audit,
    profiles,
    consent,
    log,
    changed: (tx, id, by) => requests.changed(tx, 'segment', id, by),
  })
  const journeys = createJourneys({
    postgres,
    clock,
    ids,
    log,
    secrets,
    audit,
    jobs,
    requests,
    tools,
    channels,
    content,
    consent,
    segments,
    publicUrl,
    directory: join(engines.directory, 'transmit'),
    durable: config.sendDurable,
    fields: async (tx) =>
      (await profiles.fields(tx)).map(({ name, sensitivity }) => ({ name, sensitivity: Level.parse(sensitivity) })),
    people: (wanted) => peopleNow(wanted),
    async hand(events) {
      await collect.accept(sources.internal(), events, 'journeys')
    },
    ...(needs.connections === undefined ? {} : { connections: needs.connections }),
  })
  const destinations = createDestinations({
    postgres,
    clickhouse,
    clock,
    random,
    ids,
    log,
    registry: metrics,
    secrets,
    audit,
    requests,
    tools,
    sources,
    egress,
    fields: async (tx) =>
      (await profiles.fields(tx)).map(({ name, sensitivity }) => ({ name, sensitivity: Level.parse(sensitivity) })),
    people: () => profiles.count(),
    exportsDirectory: join(engines.directory, 'exports'),
    exportFolders: config.exportFolders,
    ...(needs.patience === undefined ? {} : { patience: needs.patience }),
  })
  const insights = createInsights({ postgres, audit, clickhouse, journeys })
  // On the disk of the journal, and nowhere near it.
  const scratch = join(engines.directory, 'capacity')
  const capacity = createCapacity({
    postgres,
    clickhouse,
    clock,
    ids,
    log,
    audit,
    registry: metrics,
    collect,
    journeys,
    segments,
    meter: {
      measure: (progress, signal) => measureCapacity({ folder: scratch, signal, progress }),
      clear: () => clearCapacity(scratch),
      machine,
      freeBytes: async () => (await freeSpace(engines.directory)).free,
    },
  })
  const cockpit = createCockpit({
    clickhouse,
    clock,
    requests,
    tools,
    journeys,
    imports,
    pulls,
    feeds,
    webhooks,
    standingImports,
    collect,
    profiles,
    jobs,
    accounts,
    channels,
    consent,
    capacity,
    ...(needs.demo === undefined ? {} : { demo: needs.demo }),
  })

  /** Traits by the id that was planned, even when that profile became part of another since. */
  async function peopleNow(wanted: readonly string[]) {
    const found = await profiles.traitsOf(wanted)
    const people = new Map([...found].map(([id, person]) => [id, person]))
    for (const id of wanted) {
      if (people.has(id)) continue
      const now = await identity.canonical(id)
      const person = now === undefined ? undefined : (await profiles.traitsOf([now])).get(now)
      if (person !== undefined) people.set(id, person)
    }
    return people
  }

  /** Consent that comes in with events, of whatever address the event or its person has. */
  const consentStep: PipelineStep = {
    name: 'consent',
    async run({ events }) {
      const inFlight = new Map<object, EventInFlight>()
      for (const one of events) if (one.outcome === undefined) inFlight.set(one.event, one)
      await consent.recordEvents(
        [...inFlight.values()].map((one) => one.event),
        async (event) => {
          const profileId = inFlight.get(event)?.profileId
          if (profileId === undefined) return undefined
          return (await profiles.traitsOf([profileId])).get(profileId)?.email ?? undefined
        },
      )
    },
  }

  // In the order in which an event passes them.
  collect.explain({
    before: [
      trackingPlans.explainEvent,
      identity.explainEvent,
      async ({ event, outcome }) =>
        outcome === 'stored' ? { name: 'Consent', is: 'ok', ...(await consent.explainEvent(event)) } : undefined,
    ],
    after: [destinations.explainEvent],
  })

  const letIn = createAuthorise(accounts, publicUrl)
  const health = healthChecks({ engines, clock, collect, jobs, journeys })
  const http = await createHttp({
    config,
    log,
    metrics,
    health,
    version: '0.1.0',
    pages: needs.pages,
    authorise: async (request, route) => (await needs.alsoLetIn?.(request, route)) ?? letIn(request, route),
  })
  const { app } = http
  const library = await readBrowserLibrary()
  await app.register(
    trackingEndpoints({ collect, sources, now: () => clock.ms(), log, library, publicUrl: config.publicUrl }),
  )
  await app.register(trackerScript(needs.tracker))
  await app.register(relayEndpoint({ collect, secrets, now: () => clock.ms() }))
  addAccountRoutes(http, accounts, publicUrl)
  addAuditRoutes(http, audit, (wanted) => accounts.names(wanted))
  addRequestRoutes(http, requests)
  addToolRoutes(http, postgres, tools)
  addSourceRoutes(http, sources)
  addChannelRoutes(http, channels)
  addConsentRoutes(http, consent)
  addCollectRoutes(http, collect, replays, clock, (id) => sources.peek(id)?.name ?? '')
  addTrackingPlanRoutes(http, trackingPlans)
  addIdentityRoutes(
    http,
    identity,
    createDeciding({ postgres, identity, audit, followed: () => profiles.follow() }),
    (wanted) => accounts.names(wanted),
  )
  addProfileRoutes(http, profiles)
  addContentRoutes(http, content)
  addImportRoutes(http, imports)
  addStandingImportRoutes(http, standingImports)
  addPullRoutes(http, pulls)
  addWebhookRoutes(http, webhooks)
  addFeedRoutes(http, feeds)
  addStreamRoutes(http, streams)
  addSegmentRoutes(http, segments)
  addJourneyRoutes(http, journeys)
  addInsightRoutes(http, insights)
  addCapacityRoutes(http, capacity)
  addCockpitRoutes(http, cockpit)
  addDestinationRoutes(http, destinations)
  await app.register(webhookEndpoint({ webhooks, log }))
  await app.register(consentPages({ consent, company: () => channels.company(config.company) }))
  await app.register(journeys.comesBack)

  let stopHeads = () => {}
  return {
    http,
    postgres,
    clickhouse,
    ids,
    egress,
    jobs,
    audit,
    accounts,
    requests,
    tools,
    sources,
    channels,
    consent,
    collect,
    replays,
    trackingPlans,
    identity,
    profiles,
    content,
    imports,
    standingImports,
    pulls,
    webhooks,
    feeds,
    streams,
    segments,
    journeys,
    insights,
    capacity,
    cockpit,
    destinations,
    /** Begins the work behind the pages: the pipeline, the jobs, the sender. */
    async start() {
      await sources.load()
      await trackingPlans.load()
      await identity.load()
      await channels.prepareRoute()
      await destinations.start()
      await collect.start(
        [trackingPlans.step, identity.step, profiles.step, consentStep],
        [identity.listener, destinations.listener],
      )
      await jobs.start()
      await imports.start()
      await standingImports.start()
      await pulls.start()
      await webhooks.start()
      feeds.start()
      segments.start()
      await capacity.start()
      await journeys.start()
      // A log that was cut short or rewritten is found by the heads that were written down beside it.
      stopHeads = clock.every(
        60_000,
        async () => {
          const found = await audit.writeHead()
          if (!found.ok) log.error('the audit log is broken', new Error(found.because), { seq: found.seq })
        },
        (error) => {
          log.warn('the head of the audit log could not be written down', { error: String(error) })
        },
      )
    },
    async stop() {
      stopHeads()
      await http.close()
      await capacity.stop()
      await journeys.stop()
      standingImports.stop()
      imports.stop()
      pulls.stop()
      webhooks.stop()
      feeds.stop()
      segments.stop()
      await jobs.stop()
      await collect.stop()
      await destinations.stop()
      trackingPlans.stop()
      sources.stop()
      await egress.close()
      await audit.writeHead()
    },
  }
}
export type App = Awaited<ReturnType<typeof build>>
