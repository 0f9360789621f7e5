import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  { path: '/sources/capacity', title: 'Capacity', load: async () => (await import('./CapacityPage.tsx')).CapacityPage },
]
