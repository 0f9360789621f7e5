/** A place where a lower module says what happened, and `build.ts` connects whoever cares. Calls go down, facts go up. */
export interface Announcements<Fact> {
  /** Tells every listener, in the order in which they were connected, and waits for each. */
  announce(fact: Fact): Promise<void>
  connect(listener: (fact: Fact) => Promise<void> | void): void
}

/** Announcements with no listener yet. A listener that fails fails the announcer: nothing disappears in silence. */
export function announcements<Fact>(): Announcements<Fact> {
  const listeners: ((fact: Fact) => Promise<void> | void)[] = []
  return {
    async announce(fact) {
      for (const listener of listeners) await listener(fact)
    },
    connect(listener) {
      listeners.push(listener)
    },
  }
}
