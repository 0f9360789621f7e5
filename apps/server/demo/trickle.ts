import { systemClock } from '../../../platform/clock/clock.ts'
import type { Log } from '../../../platform/log/log.ts'
import type { App } from '../build.ts'
import { dice } from './dice.ts'
import { company, demoPeople, demoSeed } from './feed.ts'
import { products, shopUserId } from './shop.ts'

const everyMs = 2_000

/** A visitor now and then, so that whoever looks sees events arrive. Pausable; about thirty events a minute. */
export function createTrickle(log: Log) {
  let on = true
  let stop = () => {}
  return {
    running: () => on,
    set(running: boolean) {
      on = running
    },
    begin(app: App) {
      const { chance, everybody } = company(demoSeed, demoPeople)
      const catalogue = products(chance.fork('products'))
      const shoppers = everybody.filter((person) => person.inShop)
      const now = dice(systemClock.ms() % 2_147_483_647)
      const web = app.sources.list().find((source) => source.name === 'Web shop')
      if (web === undefined) return
      stop = systemClock.every(
        everyMs,
        async () => {
          if (!on) return
          const person = now.pick(shoppers)
          const product = now.pick(catalogue)
          const base = {
            userId: shopUserId(person),
            anonymousId: `live-${String(person.number)}`,
            timestamp: systemClock.now().toISOString(),
            context: {
              library: { name: 'analytics.js', version: 'npm:next-1.84.3' },
              locale: `${person.language}-${person.country}`,
            },
          }
          const id = () => `live-${app.ids.next('event')}`
          const seen = { product_id: product.sku, name: product.name, category: product.category, price: product.price }
          await app.collect.accept(
            web,
            [
              { ...base, type: 'track', messageId: id(), event: 'Product Viewed', properties: seen },
              ...(now.is(0.08)
                ? [
                    {
                      ...base,
                      type: 'track',
                      messageId: id(),
                      event: 'Order Completed',
                      properties: {
                        order_id: id(),
                        revenue: product.price,
                        currency: 'EUR',
                        store: 'web',
                        products: [{ ...seen, quantity: 1 }],
                      },
                    },
                  ]
                : []),
            ],
            'demo',
          )
        },
        (error) => {
          log.warn('a visitor of the demo company did not come in', { error: String(error) })
        },
      )
    },
    end() {
      stop()
    },
  }
}
