import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  { path: '/feeds', title: 'Content that is published', load: async () => (await import('./FeedsPage.tsx')).FeedsPage },
  { path: '/feeds/$id', title: 'A feed', load: async () => (await import('./FeedPage.tsx')).FeedPage },
]
