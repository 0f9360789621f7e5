import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/destinations',
    title: 'Where events are sent on to',
    load: async () => (await import('./DestinationsPage.tsx')).DestinationsPage,
    nav: { group: 'Know', label: 'Destinations', order: 6 },
  },
  {
    path: '/destinations/new',
    title: 'A new destination',
    load: async () => (await import('./NewDestinationPage.tsx')).NewDestinationPage,
  },
  {
    path: '/destinations/$id',
    title: 'A destination',
    load: async () => (await import('./DestinationPage.tsx')).DestinationPage,
  },
]
