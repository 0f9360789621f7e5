import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/imports',
    title: 'Files that were read in',
    load: async () => (await import('./ImportsPage.tsx')).ImportsPage,
  },
  { path: '/imports/$id', title: 'An import', load: async () => (await import('./ImportPage.tsx')).ImportPage },
]

export { MeaningSelect } from './MeaningSelect.tsx'
