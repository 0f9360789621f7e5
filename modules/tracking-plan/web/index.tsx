import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  { path: '/sources/$id/plan', title: 'A tracking plan', load: async () => (await import('./PlanPage.tsx')).PlanPage },
  {
    path: '/sources/$id/violations',
    title: 'Violations of a tracking plan',
    load: async () => (await import('./ViolationsPage.tsx')).ViolationsPage,
  },
]
