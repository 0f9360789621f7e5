import { campaignOf, cleanUrl } from './address.ts'
import { openDevice } from './device.ts'
import type { CallOptions, Calls, Fields, Options } from './options.ts'
import { modeOf, signalOf, type Mode } from './privacy.ts'
import { openQueue } from './queue.ts'
import { isSampled, resourcesSeen } from './resources.ts'
import { on, read, safely } from './safely.ts'
import { createSender } from './sender.ts'
import { sessionAt, type Session } from './session.ts'
import { version } from './version.ts'
import { watchVitals } from './vitals.ts'
import { watchAddress, watchForms, watchLinks } from './watch.ts'

/** Frameworks give a page its title a moment after its address. */
const titleMs = 50

/** A UUID of version 4, on pages without TLS too, where `crypto.randomUUID` is missing. */
const uuid = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(36))
  return '10000000-1000-4000-8000-100000000000'.replace(/[018]/g, (digit, at: number) =>
    (+digit ^ ((bytes[at] as number) & (15 >> (+digit / 4)))).toString(16),
  )
}

/**
 * The first formatter of a page costs Chromium 10 ms of the main thread, 40 on a phone; Temporal knows the same for nothing, where there is one.
 */
const timeZone = () =>
  (window as { Temporal?: { Now: { timeZoneId(): string } } }).Temporal?.Now.timeZoneId() ??
  Intl.DateTimeFormat().resolvedOptions().timeZone

/** A tracker that runs, from the options on. @throws when there is no write key or no host */
export function startTracker(options: Options): Omit<Calls, 'load'> {
  const { writeKey, host, hashRouting = false, resourceRate = 0.01 } = options
  if (!writeKey) throw new Error('no writeKey')
  const keep = String(options.keepQuery ?? '').split(',')
  const device = openDevice(options.cookieDomain)
  const queue = openQueue(device, writeKey)
  const signal = signalOf()
  let choice = device.choice()
  let mode: Mode = modeOf(options, signal, choice)
  let arrivedBy = campaignOf(location.search)
  let referrer = document.referrer

  const may = () => mode === 'full' || mode === 'anonymous'
  const sender = createSender(new URL('/v1/batch', host).href, writeKey, device, queue, may, () => ({
    writeKey,
    context: {
      library: { name: '@interlock/browser', version },
      userAgent: navigator.userAgent,
      locale: navigator.language,
      timezone: timeZone(),
      screen: { width: screen.width, height: screen.height },
      consent: {
        status: mode === 'full' ? 'granted' : 'denied',
        because: choice ? 'answer' : (signal ?? 'implied'),
      },
      droppedEvents: queue.dropped() || undefined,
    },
  }))

  const anonymousId = () => {
    const id = (device.lasts() && device.visitor()) || device.get('anonymous') || uuid()
    if (device.get('anonymous') !== id) device.set('anonymous', id)
    return id
  }
  const enter = (next: Mode) => {
    mode = next
    if (next === 'full' && !options.cookieless) {
      device.store()
      device.setCookie(anonymousId())
    }
    sender.soon()
  }
  const session = (): Session => {
    const now = sessionAt(read(device.get('session')) as Session | undefined, Date.now(), arrivedBy, uuid)
    arrivedBy = undefined
    device.set('session', JSON.stringify(now))
    return now
  }

  const send = (type: string, fields: Fields, { timestamp, context }: CallOptions = {}) => {
    if (mode === 'refused') return
    const { id, startMs, count, campaign } = session()
    const messageId = uuid()
    const { pathname, hash, href } = location
    const fragment = hashRouting ? hash : ''
    const url = cleanUrl(href, keep)
    const page = {
      path: pathname + fragment,
      url: url + fragment,
      search: /[?].*/.exec(url)?.[0],
      title: document.title,
      referrer: cleanUrl(referrer, keep),
    }
    const event = {
      type,
      messageId,
      timestamp: timestamp ?? new Date(),
      anonymousId: anonymousId(),
      ...(type === 'page' ? { ...fields, properties: { ...page, ...(fields['properties'] as Fields) } } : fields),
      userId: fields['userId'] ?? device.get('user'),
      context: { page, campaign, session: { id, start: new Date(startMs), count }, ...context },
    }
    queue.take(JSON.stringify(event), messageId, Date.now())
    sender.soon()
  }
  /** Who asked not to be followed is not named either. */
  const named = () => mode === 'full' || mode === 'waiting'

  const calls: Omit<Calls, 'load'> = {
    track(event, properties = {}, more) {
      send('track', { event, properties }, more)
    },
    page(...words) {
      const texts = words.filter((word) => typeof word === 'string')
      // From the right: a single text is the name.
      send('page', {
        name: texts.pop(),
        category: texts.pop(),
        properties: words.find((word) => typeof word === 'object') ?? {},
      })
    },
    identify(who, traits, more) {
      if (!named()) return
      if (typeof who === 'object') return calls.identify(device.get('user') ?? '', who, more)
      if (who) device.set('user', who)
      send('identify', { userId: who || undefined, traits: traits ?? {} }, more)
    },
    group(groupId, traits = {}, more) {
      if (named()) send('group', { groupId, traits }, more)
    },
    alias(userId, previousId = device.get('user') ?? anonymousId(), more) {
      if (named()) send('alias', { userId, previousId }, more)
    },
    reset() {
      device.set('user')
      device.set('session')
      if (mode === 'refused') return
      const id = uuid()
      device.set('anonymous', id)
      device.setCookie(id)
    },
    consent({ analytics }) {
      choice = analytics ? 'granted' : 'denied'
      if (!analytics) device.wipe()
      // A no is only worth a note where silence would mean yes.
      if (!options.cookieless) device.choose(analytics || options.consent !== 'required' ? choice : undefined)
      enter(modeOf(options, signal, choice))
    },
    flush() {
      sender.now()
    },
    anonymousId: () => (mode === 'refused' ? undefined : anonymousId()),
  }

  // What was stored under other rules goes.
  if (options.cookieless || (mode !== 'full' && !choice)) device.wipe()
  enter(mode)
  // Another tab got the answer.
  on('storage', () => {
    const now = device.choice()
    if (now && now !== choice) calls.consent({ analytics: now === 'granted' })
  })

  let viewing: ReturnType<typeof setTimeout> | undefined
  const view = safely(() => {
    clearTimeout(viewing)
    viewing = undefined
    calls.page()
  })
  if (options.pages !== false) {
    view()
    watchAddress(hashRouting, (from) => {
      referrer = from
      arrivedBy = campaignOf(location.search)
      clearTimeout(viewing)
      viewing = setTimeout(view, titleMs)
    })
  }
  const { track } = calls
  if (options.links !== false) watchLinks(track)
  if (options.forms !== false) watchForms(track)

  const vitals = options.vitals === false ? undefined : safely(watchVitals)()
  let reported = false
  /** The page was hidden or left for the first time: what was measured is told once. */
  const report = () => {
    if (viewing !== undefined) view()
    if (reported || !may()) return
    reported = true
    if (vitals) track('Web Vitals', vitals())
    if (resourceRate > 0 && isSampled(session().id, resourceRate)) {
      const resources = resourcesSeen()
      if (resources[0]) track('Resources Seen', { resources })
    }
  }
  on('pagehide', () => {
    report()
    sender.leave()
  })
  on('visibilitychange', () => {
    if (!document.hidden) return
    report()
    sender.now()
  })
  on('pageshow', ({ persisted }) => {
    if (!persisted) return
    sender.back()
    if (options.pages !== false) view()
  })
  return calls
}
