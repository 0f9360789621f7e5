import { serve } from '../../apps/server/main.ts'
import type { Body } from '../../modules/content/contract.ts'
import { readConfig } from '../../platform/config/config.ts'
import { systemClock } from '../../platform/clock/clock.ts'
import { aLetter, ask, giveKeys, letIn, moveIn, type Asked, type Staff } from '../../test/make/campaign.ts'
import { answers } from '../parts/child.ts'

/**
 * The whole product on its embedded engines, in a process of its own: what the bench lets send, and kills.
 * `node bench/send/server.ts DATA_DIR SMTP_URL CONNECTIONS CUSTOMERS`; tells its parent `{ ready }` and answers `prepare`, `launch`, `state`, `stop`.
 */
const [dataDir = '', smtpUrl = '', connections = '10', customers = '20000'] = process.argv.slice(2)
const { app, stop } = await serve(readConfig({ INTERLOCK_LOG: 'error' }, { dataDir, smtpUrl, port: 0 }), {
  demo: false,
  print: () => undefined,
  pages: false,
  connections: Number(connections),
})
let staff: Staff | undefined
let asked: Asked | undefined

/** About 20 KB of a person's own HTML, as a newsletter has it. */
const paragraph = (at: number) => ({
  kind: 'text' as const,
  text: `${String(at + 1)}. {{ person.firstName | default: "vän" }}, ljuset i november är snålt, men en lampa på rätt plats gör rummet dubbelt så stort. `.repeat(
    9,
  ),
})
const letter: Body = {
  ...aLetter,
  design: {
    kind: 'blocks',
    blocks: [{ kind: 'heading', text: 'Det blir mörkt' }, ...Array.from({ length: 12 }, (_, at) => paragraph(at))],
  },
}

answers(
  { ready: true },
  {
    /** People with consent, a company that may send, and a broadcast to all of them that waits for its keys. */
    async prepare() {
      const moved = await moveIn(app, systemClock)
      staff = moved.staff
      await letIn(
        app,
        Array.from({ length: Number(customers) }, (_, at) => ({
          userId: `bench-${String(at)}`,
          agreed: true,
          traits: { email: `p${String(at)}@bench.example`, firstName: `Åsa ${String(at)}`, cohort: 'bench' },
        })),
      )
      asked = await ask(app, staff, { senderId: moved.senderId, cohort: 'bench', body: letter })
      return { broadcastId: asked.broadcastId }
    },
    async launch() {
      if (staff === undefined || asked === undefined) throw new Error('prepare comes first')
      const ready = await giveKeys(app, staff, systemClock, asked.request)
      await app.requests.launch(staff.author, ready.id, ready.releaseHash)
      return {}
    },
    async state() {
      const [newest] = await app.journeys.list()
      return newest === undefined
        ? {}
        : { state: newest.state, audience: newest.audience, counts: newest.counts, because: newest.because }
    },
    async stop() {
      await stop()
      return {}
    },
  },
)
