import { scriptOf, scriptsBeside, type Script } from '../../../platform/files/scripts.ts'

/** Segment's browser SDK as Segment's snippet loads it, from this server alone. */
export interface BrowserLibrary {
  /** `/analytics.js/v1/WRITE_KEY/analytics.min.js`: the same for every key, which the SDK reads from its own address. */
  main: Script
  /** What the SDK loads later when a page needs it, by the names that it asks for. */
  parts: ReadonlyMap<string, Script>
}

/**
 * The SDK finds where it came from by an address that begins with https, and else falls back to a host of Segment's: that
 * would be a third party on our customers' pages. So it is told first, whatever the scheme and the folder.
 */
const tellsItWhereItCameFrom = `(function(d,w){var named=d.querySelector('script[data-global-segment-analytics-key]'),name=named&&named.dataset.globalSegmentAnalyticsKey||'analytics',all=[].slice.call(d.querySelectorAll('script'));if(d.currentScript)all.unshift(d.currentScript);for(var i=0;i<all.length;i++){var from=/^(.*)\\/analytics\\.js\\/v1\\//.exec(all[i].src||'');if(from){var a=w[name]=w[name]||[];if(!a._cdn)a._cdn=from[1];break}}})(document,window);
`

/** @throws when the package is not installed as it was published */
export async function readBrowserLibrary(): Promise<BrowserLibrary> {
  const scripts = await scriptsBeside('@segment/analytics-next/dist/umd/standalone.js')
  const standalone = scripts.get('standalone.js')
  if (standalone === undefined) throw new Error('@segment/analytics-next has no standalone.js.')
  const main = await scriptOf(Buffer.concat([Buffer.from(tellsItWhereItCameFrom), standalone.bytes]))
  return { main, parts: new Map([...scripts].filter(([name]) => name.includes('.bundle.'))) }
}
