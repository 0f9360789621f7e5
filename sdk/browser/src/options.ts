/** How the tracker is set up. In the snippet each is a data attribute: `data-write-key`, `data-consent`, `data-keep-query="q,page"`. */
export interface Options {
  /** The key of the web source in Interlock. Public by design: it lets events in and nothing out. */
  writeKey: string
  /** Where Interlock answers, `https://data.example.com`. The snippet takes it from its own address. */
  host?: string
  /**
   * `implied` (the default) works from the first view on until somebody says no. `required` stores nothing on the device and sends nothing until
   * `interlock.consent({ analytics: true })`; what happens before waits in the memory of the page.
   */
  consent?: 'implied' | 'required'
  /**
   * What Global Privacy Control and Do Not Track mean here, where the person has not answered for this site. `anonymous` (the default): events are
   * sent, nothing is stored on the device, no name is sent, and `context.consent` says denied. `off`: nothing is stored or sent. `ignore`: no difference.
   */
  privacySignal?: 'anonymous' | 'off' | 'ignore'
  /** Stores nothing on the device, ever: each page load is a visitor of its own. */
  cookieless?: boolean
  /** Domain of the cookie, `example.com`, so that subdomains share a visitor. By default the host of the page alone. */
  cookieDomain?: string
  /** Query parameters of addresses that may be sent, beside `utm_…`; all others are cut off. A list, or text with commas. */
  keepQuery?: readonly string[] | string
  /** Page views by themselves: of each load and of each change of address by the history API. True by default. */
  pages?: boolean
  /** For sites that route by `#/…`: a changed fragment is a page view too. The fragment is then a part of the path. */
  hashRouting?: boolean
  /** Clicks on links to other hosts and on files. True by default. */
  links?: boolean
  /** Submitted forms, without their values. True by default. */
  forms?: boolean
  /** Core Web Vitals, once for each page load. True by default. */
  vitals?: boolean
  /** The share of sessions that report which hosts their pages load from; 0.01 by default, 0 for none. */
  resourceRate?: number
}

/** Any value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/** Properties of an event or traits of a person: an object of JSON values. */
export type Fields = { readonly [key: string]: Json | undefined }

/** What a single call may set. */
export interface CallOptions {
  /** When it happened, if not now. */
  timestamp?: Date | string
  /** Added to the context of the event. */
  context?: Fields
}

/** What the tracker can be told; the names and arguments are those of Segment's browser SDK. No call throws. */
export interface Calls {
  /** Starts it. Calls that came before are done then; a second `load` does nothing. */
  load(options: Options): void
  /** Something happened. */
  track(event: string, properties?: Fields, options?: CallOptions): void
  /** A view. `page()`, `page(name)`, `page(name, properties)`, `page(category, name, properties)`. */
  page(...words: (string | Fields | undefined)[]): void
  /** Who this is. `identify(traits)` keeps the person that is known. Traits are sent and not stored on the device. */
  identify(userId: string | Fields, traits?: Fields, options?: CallOptions): void
  /** The person belongs to this company, team or household. */
  group(groupId: string, traits?: Fields, options?: CallOptions): void
  /** Two ids are one person. `previousId` is by default the id in use until now. */
  alias(userId: string, previousId?: string, options?: CallOptions): void
  /** Somebody else will use this browser, for example after signing out: a new visitor, a new session. */
  reset(): void
  /** The answer of the person. `true` starts storing and sending; `false` stops both and removes all that was stored. */
  consent(answer: { analytics: boolean }): void
  /** Sends what waits now, without the usual quarter of a second. */
  flush(): void
  /** The id of this visitor, for the own server to go on with; undefined before `load` and after a no. */
  anonymousId(): string | undefined
}

/** `interlock.track('Ordered', { total: 20 })` and `interlock('track', 'Ordered', { total: 20 })` are the same. */
export interface Interlock extends Calls {
  <Name extends keyof Calls>(name: Name, ...words: Parameters<Calls[Name]>): void
}
