import type { Secrets } from '../../../platform/secrets/secrets.ts'

/**
 * Addresses under which clicks and opens are counted. The target is in the link and signed with it, so this server never leads anybody
 * where the mail did not (no open redirect), and a link works for as long as the secret does.
 */
export function trackingLinks(secrets: Pick<Secrets, 'sign' | 'verify'>, publicUrl: () => string) {
  const base = () => publicUrl().replace(/\/$/, '')
  return {
    click: (message: string, href: string) =>
      `${base()}/l/${message}.${secrets.sign('click', `${message} ${href}`)}?to=${encodeURIComponent(href)}`,
    open: (message: string) => `${base()}/o/${message}.${secrets.sign('open', message)}.gif`,
    /** @returns the message, when the link was made here for exactly this target */
    readClick(token: string, href: string): string | undefined {
      const [message, tag] = token.split('.')
      if (message === undefined || tag === undefined) return undefined
      return secrets.verify('click', `${message} ${href}`, tag) ? message : undefined
    },
    readOpen(token: string): string | undefined {
      const [message, tag] = token.replace(/\.gif$/, '').split('.')
      if (message === undefined || tag === undefined) return undefined
      return secrets.verify('open', message, tag) ? message : undefined
    },
  }
}
export type TrackingLinks = ReturnType<typeof trackingLinks>
