import { lazy, Suspense } from 'react'
import type { PageDefinition } from '../../../ui/page.tsx'

const Asked = lazy(async () => ({ default: (await import('./StepUp.tsx')).StepUp }))

/** “Is it you?”, fetched when it is first asked: it brings what passkeys need. */
export function StepUp(props: { open: boolean; close: () => void; then: () => void }) {
  return <Suspense fallback={null}>{props.open ? <Asked {...props} /> : null}</Suspense>
}

/** The pages before the sign-in. */
export const outside: PageDefinition[] = [
  { path: '/sign-in', title: 'Sign in', load: async () => (await import('./SignInPage.tsx')).SignInPage },
  { path: '/join/$token', title: 'Join', load: async () => (await import('./JoinPage.tsx')).JoinPage },
]
export const pages: PageDefinition[] = [
  {
    path: '/settings',
    title: 'Your account, the people who work here, senders and topics',
    load: async () => (await import('./SettingsPage.tsx')).SettingsPage,
    nav: { group: 'bottom', label: 'Settings', order: 1 },
  },
  {
    path: '/settings/people',
    title: 'People who work here',
    load: async () => (await import('./StaffPage.tsx')).StaffPage,
  },
]
