import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/reports',
    title: 'What came back from each broadcast',
    load: async () => (await import('./ReportsPage.tsx')).ReportsPage,
    nav: { group: 'Measure', label: 'Reports', order: 1 },
  },
  {
    path: '/campaigns/$id/report',
    title: 'What came back',
    load: async () => (await import('./ReportPage.tsx')).ReportPage,
  },
]
