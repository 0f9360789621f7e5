import { lazy } from 'react'
import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/imports',
    title: 'Files that were read in',
    load: async () => (await import('./ImportsPage.tsx')).ImportsPage,
  },
  { path: '/imports/$id', title: 'An import', load: async () => (await import('./ImportPage.tsx')).ImportPage },
]

/** Loaded with the page that shows it: this file is part of the first load of every page. */
export const MeaningSelect = lazy(async () => ({ default: (await import('./MeaningSelect.tsx')).MeaningSelect }))
