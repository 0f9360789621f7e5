import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/people',
    title: 'Everybody we know',
    load: async () => (await import('./PeoplePage.tsx')).PeoplePage,
    nav: { group: 'Know', label: 'People', order: 1 },
  },
  { path: '/people/$id', title: 'A person', load: async () => (await import('./PersonPage.tsx')).PersonPage },
]
