import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/settings/topics',
    title: 'Topics people subscribe to',
    load: async () => (await import('./TopicsPage.tsx')).TopicsPage,
  },
]
