import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/',
    title: 'What needs you',
    load: async () => (await import('./NeedsYouPage.tsx')).NeedsYouPage,
    nav: { group: 'top', label: 'Needs you', order: 1 },
  },
  {
    path: '/cockpit',
    title: 'The numbers of the day',
    load: async () => (await import('./CockpitPage.tsx')).CockpitPage,
    nav: { group: 'top', label: 'Cockpit', order: 2 },
  },
]
