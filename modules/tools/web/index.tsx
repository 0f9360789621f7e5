import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/tools',
    title: 'The register of tools',
    load: async () => (await import('./ToolsPage.tsx')).ToolsPage,
    nav: { group: 'Agree', label: 'Tools', order: 2 },
  },
  { path: '/tools/$id', title: 'A tool', load: async () => (await import('./ToolPage.tsx')).ToolPage },
]
