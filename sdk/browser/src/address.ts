/** `context.campaign` of Segment: `utm_campaign` is its name, the others keep theirs. */
export type Campaign = Readonly<Record<string, string>>

/** The campaign that an address names; undefined when it names none. Values are cut at 200 characters. */
export function campaignOf(search: string): Campaign | undefined {
  const found: Record<string, string> = {}
  new URLSearchParams(search).forEach((value, key) => {
    if (value && /^utm_[a-z_]{1,20}$/.test(key))
      found[key === 'utm_campaign' ? 'name' : key.slice(4)] = value.slice(0, 200)
  })
  return Object.keys(found).length ? found : undefined
}

/**
 * An address without fragment, user name and password; of its query `utm_…` and the kept names stay, in their order. Empty when it is no web address.
 */
export function cleanUrl(url: string, keep: readonly string[]): string {
  if (!/^https?:/.test(url)) return ''
  const { origin, pathname, searchParams } = new URL(url)
  const kept = new URLSearchParams()
  searchParams.forEach((value, key) => {
    if (key.startsWith('utm_') || keep.includes(key)) kept.append(key, value)
  })
  return origin + pathname + `?${kept}`.replace(/^[?]$/, '')
}
