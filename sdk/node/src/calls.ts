/** Any value of JSON; a Date becomes its ISO text. */
export type Json =
  null | boolean | number | string | Date | readonly Json[] | { readonly [key: string]: Json | undefined }
/** Properties of an event or traits of a person or a group. */
export type Fields = { readonly [key: string]: Json | undefined }

/** Who it is about. One of the two is needed. */
export type Who =
  | { readonly userId: string; readonly anonymousId?: string | undefined }
  | { readonly anonymousId: string; readonly userId?: string | undefined }

/** What every call may say. */
export interface Common {
  /** When it happened, if not now. */
  readonly timestamp?: Date | string | undefined
  readonly context?: Fields | undefined
  readonly integrations?: Fields | undefined
  /** An id of your own, so that the same event is stored once however often you call. By default a random UUID. */
  readonly messageId?: string | undefined
}
export type TrackCall = Who & Common & { readonly event: string; readonly properties?: Fields | undefined }
export type IdentifyCall = Who & Common & { readonly traits?: Fields | undefined }
export type ViewCall = Who &
  Common & {
    readonly name?: string | undefined
    readonly category?: string | undefined
    readonly properties?: Fields | undefined
  }
export type GroupCall = Who & Common & { readonly groupId: string; readonly traits?: Fields | undefined }
export type AliasCall = Common & { readonly userId: string; readonly previousId: string }

export type EventType = 'track' | 'identify' | 'page' | 'screen' | 'group' | 'alias'

/** An event as it is sent: Segment's shape. */
export interface Event {
  readonly type: EventType
  readonly messageId: string
  /** ISO 8601, in UTC when it came from a Date. */
  readonly timestamp: string
  readonly [field: string]: unknown
}
