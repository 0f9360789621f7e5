import { randomUUID } from 'node:crypto'

/** A timer that does not keep the process alive, unless it is told to. */
export interface Timer {
  cancel(): void
  /** Whether the process stays for it. */
  hold(on: boolean): void
}

/** What the server said. */
export interface Answer {
  status: number
  retryAfter: string | null
  text: string
}

/** Time, chance and the network: handed in, so that tests can stop the one and be the other. */
export interface Surroundings {
  nowMs(): number
  /** From 0 to 1. */
  chance(): number
  newId(): string
  after(ms: number, deed: () => void): Timer
  /** @throws when there was no answer */
  post(
    url: string,
    headers: Record<string, string>,
    body: Uint8Array<ArrayBuffer> | string,
    signal: AbortSignal,
  ): Promise<Answer>
}

export const realSurroundings: Surroundings = {
  nowMs: () => Date.now(),
  chance: () => Math.random(),
  newId: () => randomUUID(),
  after(ms, deed) {
    const timer = setTimeout(deed, ms).unref()
    return {
      cancel() {
        clearTimeout(timer)
      },
      hold(on) {
        if (on) timer.ref()
        else timer.unref()
      },
    }
  },
  async post(url, headers, body, signal) {
    const reply = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' })
    return { status: reply.status, retryAfter: reply.headers.get('retry-after'), text: await reply.text() }
  },
}
