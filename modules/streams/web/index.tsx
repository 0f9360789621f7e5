import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/streams',
    title: 'Streams of taps and connectors',
    load: async () => (await import('./StreamsPage.tsx')).StreamsPage,
  },
  { path: '/streams/$id', title: 'A stream', load: async () => (await import('./StreamPage.tsx')).StreamPage },
]
