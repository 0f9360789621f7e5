/** A collector that runs on 127.0.0.1 and takes `POST /v1/track` and `/v1/batch` with a write key, as the Segment API has them. */
export interface Peer {
  port: number
  writeKey: string
  version: string
  /** What it has done when it answers 200: the sentence that makes its figure comparable, or not. */
  accepted: string
  /** Its own processes and those of its database: processor time is counted for all of them and what they start. */
  pids(): readonly number[]
  /** Events that are in its store, for the count against those acknowledged; undefined where it cannot be asked. */
  stored(): Promise<number | undefined>
  stop(): Promise<void>
}

/** Starts a collector in a folder of its own, which the bench removes. @param words what the command line said after `NAME=` */
export type StartPeer = (folder: string, words: string) => Promise<Peer>
