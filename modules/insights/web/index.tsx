import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/campaigns/$id/report',
    title: 'What came back',
    load: async () => (await import('./ReportPage.tsx')).ReportPage,
  },
]
