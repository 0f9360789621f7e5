import type { PageDefinition } from '../../../ui/page.tsx'

export { AgreementOf } from './AgreementOf.tsx'
export { useAgreements } from './AgreementsOn.tsx'
export const pages: PageDefinition[] = [
  {
    path: '/requests',
    title: 'What waits for an agreement',
    load: async () => (await import('./RequestsPage.tsx')).RequestsPage,
    nav: { group: 'Agree', label: 'Requests', order: 1 },
  },
  { path: '/requests/$id', title: 'A request', load: async () => (await import('./RequestPage.tsx')).RequestPage },
]
