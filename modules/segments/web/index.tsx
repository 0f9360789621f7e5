import type { PageDefinition } from '../../../ui/page.tsx'
import type { PanelDefinition } from '../../../ui/panels.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/segments',
    title: 'Groups of people by what they are and did',
    load: async () => (await import('./SegmentsPage.tsx')).SegmentsPage,
    nav: { group: 'Know', label: 'Segments', order: 2 },
  },
  { path: '/segments/$id', title: 'A segment', load: async () => (await import('./SegmentPage.tsx')).SegmentPage },
]

export const panels: PanelDefinition[] = [
  { of: 'person', label: 'Segments', load: async () => (await import('./SegmentsOf.tsx')).SegmentsOf },
]
