import type { PageDefinition } from '../../../ui/page.tsx'

export { JoinPage } from './JoinPage.tsx'
export { SignInPage } from './SignInPage.tsx'
export { StepUp } from './StepUp.tsx'
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
