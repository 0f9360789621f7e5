import type { Fields } from './options.ts'
import { on, safely } from './safely.ts'

type Track = (event: string, properties: Fields) => void

const files = /[.](pdf|docx?|xlsx?|pptx?|csv|zip|gz|dmg|exe|apk|mp[34]|epub)$/i
/** On an element or around it: nothing of it is told. */
const ignored = (element: Element) => element.closest('[data-interlock-ignore]')

/** Clicks on links to other hosts and on files: host and path alone, as a query may name people. */
export function watchLinks(track: Track): void {
  const clicked = (event: MouseEvent) => {
    // With the right button a menu opens, nothing more.
    if (event.button > 1) return
    const link = event
      .composedPath()
      .find((one): one is HTMLAnchorElement => /^a(rea)?$/i.test((one as Element).tagName) && 'href' in one)
    // In a drawing, an href is an object.
    if (!link || typeof link.href !== 'string' || ignored(link)) return
    const { protocol, host, pathname } = new URL(link.href)
    if (!/^https?:/.test(protocol)) return
    const deed =
      link.hasAttribute('download') || files.test(pathname)
        ? 'File Downloaded'
        : host !== location.host && 'Outbound Link Clicked'
    if (deed) track(deed, { host, path: pathname })
  }
  on('click', clicked)
  on('auxclick', clicked)
}

/** Submitted forms: which one, never what was in it. Attributes are asked for, because a field named `id` hides the property. */
export function watchForms(track: Track): void {
  on('submit', (event) => {
    const form = event.target as HTMLFormElement
    if (ignored(form)) return
    const attribute = (name: string) => form.getAttribute(name) ?? undefined
    track('Form Submitted', {
      id: attribute('id'),
      name: attribute('name'),
      action: new URL(attribute('action') ?? '', location.href).pathname,
    })
  })
}

/**
 * Calls back when the page has become another one without a load: another path, or by a new entry of the history another query. A query that is
 * rewritten in place (a filter, a map) is no view.
 */
export function watchAddress(withHash: boolean, moved: (from: string) => void): void {
  let at = new URL(location.href)
  const look = safely((inPlace?: boolean) => {
    const from = at
    at = new URL(location.href)
    if (at.pathname !== from.pathname || (withHash && at.hash !== from.hash) || (!inPlace && at.search !== from.search))
      moved(from.href)
  })
  for (const name of ['pushState', 'replaceState'] as const) {
    const original = history[name]
    history[name] = function (...words) {
      original.apply(this, words)
      look(name === 'replaceState')
    }
  }
  on('popstate', () => {
    look()
  })
}
