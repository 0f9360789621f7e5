import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  { path: '/sources/ledger', title: 'Ledger', load: async () => (await import('./LedgerPage.tsx')).LedgerPage },
  {
    path: '/sources/live',
    title: 'Events as they arrive',
    load: async () => (await import('./LivePage.tsx')).LivePage,
  },
  {
    path: '/sources/quarantine',
    title: 'What was put aside',
    load: async () => (await import('./QuarantinePage.tsx')).QuarantinePage,
  },
  {
    path: '/sources/events',
    title: 'Find an event',
    load: async () => (await import('./EventPage.tsx')).EventSearchPage,
  },
  {
    path: '/sources/events/$position',
    title: 'An event',
    load: async () => (await import('./EventPage.tsx')).EventPage,
  },
  { path: '/sources/$id', title: 'A source', load: async () => (await import('./SourcePage.tsx')).SourcePage },
]
