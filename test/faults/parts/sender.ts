import { setTimeout as sleep } from 'node:timers/promises'

/** What a sender knows when it ends. */
export interface SenderReport {
  sent: number
  /** Numbers of the events for which a 200 came. */
  acknowledged: number[]
  /** Answers other than 200, by status; `0` for a connection that was refused or broke. */
  refused: Record<string, number>
}

export interface Sender {
  /** Ends it: nothing new is sent, what is under way is tried until it is acknowledged. */
  stop(): Promise<SenderReport>
  /** Events acknowledged so far. */
  acknowledged(): number
}

const eventsPerRequest = 20
const mostUnderWay = 16
const longestWaitMs = 5000

/**
 * Sends events at a rate, as a server's SDK does: batches, the same message ids again until the answer is 200. Each event carries its number and the
 * name of the sender in its message id.
 * @param url where `/v1/batch` is
 */
export function aSender(name: string, url: string, writeKey: string, eventsPerSecond: number): Sender {
  const acknowledged: number[] = []
  const refused: Record<string, number> = {}
  const underWay = new Set<Promise<void>>()
  let sent = 0
  let stopping = false

  async function post(first: number): Promise<void> {
    const batch = Array.from({ length: eventsPerRequest }, (_, index) => ({
      type: 'track',
      event: 'Order Completed',
      messageId: `${name}-${String(first + index)}`,
      userId: `${name}-person-${String((first + index) % 500)}`,
      timestamp: new Date().toISOString(),
      properties: { number: first + index, currency: 'EUR', city: 'Łódź' },
    }))
    const body = JSON.stringify({ batch, sentAt: new Date().toISOString() })
    for (let tries = 0; ; tries++) {
      let status = 0
      let waitMs = Math.min(longestWaitMs, 100 * 2 ** tries)
      try {
        const answer = await fetch(`${url}/v1/batch`, {
          method: 'POST',
          headers: {
            authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`,
            'content-type': 'application/json',
          },
          body,
          signal: AbortSignal.timeout(30_000),
        })
        await answer.arrayBuffer()
        status = answer.status
        const seconds = Number(answer.headers.get('retry-after') ?? 0)
        if (seconds > 0) waitMs = Math.min(longestWaitMs, seconds * 1000)
      } catch {
        // Refused, reset, or no answer in time: it is tried again.
      }
      if (status === 200) {
        for (let index = 0; index < eventsPerRequest; index++) acknowledged.push(first + index)
        return
      }
      refused[status] = (refused[status] ?? 0) + 1
      await sleep(waitMs)
    }
  }

  const sending = (async () => {
    const began = performance.now()
    while (!stopping) {
      const due = ((performance.now() - began) / 1000) * eventsPerSecond
      while (sent + eventsPerRequest <= due && underWay.size < mostUnderWay && !stopping) {
        const one = post(sent).finally(() => underWay.delete(one))
        underWay.add(one)
        sent += eventsPerRequest
      }
      await sleep(10)
    }
  })()

  return {
    acknowledged: () => acknowledged.length,
    async stop() {
      stopping = true
      await sending
      await Promise.all(underWay)
      return { sent, acknowledged, refused }
    },
  }
}
