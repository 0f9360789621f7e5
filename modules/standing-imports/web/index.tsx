import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/standing-imports',
    title: 'Files that come by themselves',
    load: async () => (await import('./StandingImportsPage.tsx')).StandingImportsPage,
  },
  {
    path: '/standing-imports/$id',
    title: 'A standing import',
    load: async () => (await import('./StandingImportPage.tsx')).StandingImportPage,
  },
]
