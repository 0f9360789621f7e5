import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/sources',
    title: 'Where data comes from',
    load: async () => (await import('./SourcesPage.tsx')).SourcesPage,
    nav: { group: 'Know', label: 'Sources', order: 3 },
  },
]
