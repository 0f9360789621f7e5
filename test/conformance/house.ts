/** What the parts of the conformance program are given. */
export interface House {
  dataDir: string
  port: number
  /** Makes a source and gives its write key. */
  source(name: string, more?: { kind?: 'web' | 'server'; eventsPerSecond?: number }): Promise<string>
  /** SIGTERM, and another start on the same data. */
  restart(): Promise<void>
  say(line: string): void
}

/** What one part found: whether it held, and the messages that must be stored exactly once when everything is over. */
export interface Part {
  /** Looks at what is stored in the end, by message id. */
  judge(stored: ReadonlyMap<string, number>): boolean
}
