import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/mail-catcher',
    title: 'Mails that the built-in catcher kept',
    load: async () => (await import('./CatcherPage.tsx')).CatcherPage,
    nav: { group: 'Act', label: 'Mail catcher', order: 3 },
  },
  { path: '/mail-catcher/$id', title: 'A mail', load: async () => (await import('./MailPage.tsx')).MailPage },
  {
    path: '/settings/senders',
    title: 'Senders and the mail route',
    load: async () => (await import('./SendersPage.tsx')).SendersPage,
  },
]
