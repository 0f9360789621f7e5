import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/segments',
    title: 'Groups of people by what they are and did',
    load: async () => (await import('./SegmentsPage.tsx')).SegmentsPage,
    nav: { group: 'Know', label: 'Segments', order: 2 },
  },
  { path: '/segments/$id', title: 'A segment', load: async () => (await import('./SegmentPage.tsx')).SegmentPage },
]

export { SegmentsOf } from './Why.tsx'
