import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/content',
    title: 'Mail templates',
    load: async () => (await import('./TemplatesPage.tsx')).TemplatesPage,
    nav: { group: 'Act', label: 'Content', order: 2 },
  },
  { path: '/content/$id', title: 'A template', load: async () => (await import('./TemplatePage.tsx')).TemplatePage },
]
