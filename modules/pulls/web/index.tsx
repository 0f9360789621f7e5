import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/pulls',
    title: 'Databases that are read',
    load: async () => (await import('./PullsPage.tsx')).PullsPage,
  },
  { path: '/pulls/$id', title: 'A pull', load: async () => (await import('./PullPage.tsx')).PullPage },
]
