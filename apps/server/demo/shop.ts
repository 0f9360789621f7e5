import type { Dice } from './dice.ts'
import { categories, type DemoPerson } from './people.ts'

/** An event as an SDK would send it (Segment's HTTP API shape); instants are ISO, in UTC. */
export interface ShopEvent {
  type: 'identify' | 'track' | 'page' | 'screen'
  messageId: string
  userId?: string
  anonymousId: string
  event?: string
  name?: string
  properties?: Record<string, unknown>
  traits?: Record<string, unknown>
  context: Record<string, unknown>
  timestamp: string
}

export interface Product {
  sku: string
  name: string
  category: string
  price: number
}

const dayMs = 86_400_000

/**
 * What made people come. `lift` multiplies the chance that a session ends in an order: real effects, so that reports and
 * experiments have something to find. Share of sessions by `weight`.
 */
export const campaigns = [
  { name: undefined, source: undefined, medium: undefined, weight: 58, lift: 1 },
  { name: 'brand search', source: 'search', medium: 'cpc', weight: 14, lift: 1.25 },
  { name: 'spring-light', source: 'newsletter', medium: 'email', weight: 12, lift: 1.8 },
  { name: 'social teaser', source: 'social', medium: 'paid-social', weight: 11, lift: 0.6 },
  { name: 'été à la mer', source: 'partner', medium: 'affiliate', weight: 5, lift: 1.1 },
] as const

export function products(dice: Dice): Product[] {
  const adjectives = ['Little', 'Blue', 'Söder', 'Copper', 'Quiet', 'Grand', 'Folding', "Grandma's"]
  const nouns: Record<string, string[]> = {
    Kitchen: ['kettle', 'bread knife', 'crêpe pan'],
    Garden: ['watering can', 'bench', 'herb box'],
    Kids: ['puzzle', 'night light', 'rain coat'],
    Outdoor: ['lantern', 'hammock', 'rucksack'],
    Bedding: ['duvet', 'linen set', 'pillow'],
    Lighting: ['desk lamp', 'pendant', 'fairy lights'],
  }
  return categories.flatMap((category) =>
    (nouns[category] ?? []).flatMap((noun) =>
      [0, 1, 2].map((variant) => ({
        sku: `${category.slice(0, 2).toUpperCase()}-${noun.slice(0, 3)}-${String(variant)}`,
        name: `${dice.pick(adjectives)} ${noun}`,
        category,
        price: Math.round(dice.lognormal(34, 0.6) * 100) / 100,
      })),
    ),
  )
}

/** The user id that the shop gives: stable, opaque, no truth inside. */
export function shopUserId(person: DemoPerson): string {
  return `u-${((person.number * 7919) % 1_000_003).toString(36).padStart(4, '0')}-${String(person.number % 97)}`
}

/**
 * All sessions of one person within the period, oldest first. A session has a device (so an anonymous id), a channel that brought
 * it, page views, product views, perhaps a cart and an order; people sign in on some sessions, always before they order.
 * @param startMs start of the period; @param days its length
 */
export function* sessionsOf(
  person: DemoPerson,
  dice: Dice,
  catalogue: readonly Product[],
  startMs: number,
  days: number,
): Generator<ShopEvent> {
  const userId = shopUserId(person)
  const devices = [
    `a-${dice.whole(1e8, 9e8).toString(36)}`,
    ...(dice.is(0.45) ? [`a-${dice.whole(1e8, 9e8).toString(36)}`] : []),
  ]
  const appDevice = `app-${dice.whole(1e8, 9e8).toString(36)}`
  const count = Math.max(1, Math.round(person.appetite * 9 * dice.lognormal(0.8, 0.5)))
  const lapsedAfter = dice.is(0.3) ? dice.whole(10, days - 20) : days
  let orders = 0
  const starts: number[] = []
  for (let index = 0; index < count; index++) starts.push(startMs + Math.floor(dice.chance() * lapsedAfter * dayMs))
  starts.sort((a, b) => a - b)
  let message = 0
  const known = new Set<string>()
  for (const start of starts) {
    let at = start
    const inApp = person.usesApp && dice.is(0.5)
    const anonymousId = inApp ? appDevice : dice.pick(devices)
    const campaign = dice.weighted(campaigns.map((row) => [row, row.weight] as const))
    const context = {
      locale: `${person.language}-${person.country}`,
      timezone: person.timeZone,
      library: inApp
        ? { name: 'analytics-kotlin', version: '1.16.0' }
        : { name: 'analytics.js', version: 'npm:next-1.84.3' },
      userAgent: inApp
        ? 'Lindqvist/4.2 (Android 15)'
        : 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36',
      ...(campaign.name === undefined
        ? {}
        : { campaign: { name: campaign.name, source: campaign.source, medium: campaign.medium } }),
    }
    const signedIn = known.has(anonymousId) || dice.is(0.35)
    const base = (): {
      messageId: string
      anonymousId: string
      context: typeof context
      timestamp: string
      userId?: string
    } => {
      at += Math.round(dice.lognormal(14_000, 0.7))
      message += 1
      return {
        messageId: `shop-${String(person.number)}-${String(message)}`,
        anonymousId,
        context,
        timestamp: new Date(at).toISOString(),
        ...(known.has(anonymousId) ? { userId } : {}),
      }
    }
    const identify = (): ShopEvent => {
      known.add(anonymousId)
      return {
        ...base(),
        userId,
        type: 'identify',
        traits: {
          email: person.email,
          firstName: person.firstName,
          lastName: person.lastName,
          language: person.language,
          timeZone: person.timeZone,
          address: { city: person.city, country: person.country },
        },
      }
    }
    yield inApp
      ? { ...base(), type: 'screen', name: 'Start', properties: {} }
      : {
          ...base(),
          type: 'page',
          name: 'Start',
          properties: { path: '/', url: 'https://shop.lindqvist.example/', title: 'Lindqvist & Åhl' },
        }
    if (signedIn && !known.has(anonymousId)) yield identify()
    const viewed: Product[] = []
    for (let views = dice.whole(1, 3); views > 0; views--) {
      const product = dice.is(0.6)
        ? dice.pick(catalogue.filter((other) => other.category === person.favourite))
        : dice.pick(catalogue)
      viewed.push(product)
      yield {
        ...base(),
        type: 'track',
        event: 'Product Viewed',
        properties: {
          product_id: product.sku,
          name: product.name,
          category: product.category,
          price: product.price,
          currency: 'EUR',
        },
      }
    }
    const buys = dice.is(Math.min(0.85, 0.16 * campaign.lift * (0.5 + person.appetite) * (inApp ? 1.3 : 1)))
    const puts = buys || dice.is(0.25)
    const chosen = dice.pick(viewed)
    if (puts)
      yield {
        ...base(),
        type: 'track',
        event: 'Product Added',
        properties: {
          product_id: chosen.sku,
          name: chosen.name,
          category: chosen.category,
          price: chosen.price,
          quantity: 1,
          currency: 'EUR',
        },
      }
    if (!buys) continue
    if (!known.has(anonymousId)) yield identify()
    orders += 1
    const quantity = dice.weighted([
      [1, 7],
      [2, 2],
      [4, 1],
    ] as const)
    const revenue = Math.round(chosen.price * quantity * 100) / 100
    yield {
      ...base(),
      type: 'track',
      event: 'Order Completed',
      properties: {
        order_id: `o-${String(person.number)}-${String(orders)}`,
        revenue,
        currency: 'EUR',
        store: inApp ? 'app' : 'web',
        products: [
          { product_id: chosen.sku, name: chosen.name, category: chosen.category, price: chosen.price, quantity },
        ],
      },
    }
  }
  // Orders in a shop are rung up with the customer card, so they carry the user id but no device of the web.
  for (let visits = dice.is(0.25) ? dice.whole(1, 3) : 0; visits > 0; visits--) {
    orders += 1
    message += 1
    const chosen = dice.pick(catalogue)
    yield {
      type: 'track',
      messageId: `store-${String(person.number)}-${String(message)}`,
      userId,
      anonymousId: '',
      event: 'Order Completed',
      timestamp: new Date(startMs + Math.floor(dice.chance() * lapsedAfter * dayMs)).toISOString(),
      context: { library: { name: 'till', version: '2.0' }, locale: `${person.language}-${person.country}` },
      properties: {
        order_id: `o-${String(person.number)}-${String(orders)}`,
        revenue: chosen.price,
        currency: 'EUR',
        store: person.city,
        products: [
          { product_id: chosen.sku, name: chosen.name, category: chosen.category, price: chosen.price, quantity: 1 },
        ],
      },
    }
  }
}
