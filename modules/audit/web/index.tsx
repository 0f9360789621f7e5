import type { PageDefinition } from '../../../ui/page.tsx'

export { AuditOf } from './AuditOf.tsx'
export const pages: PageDefinition[] = [
  {
    path: '/audit',
    title: 'The audit log',
    load: async () => (await import('./AuditPage.tsx')).AuditPage,
    nav: { group: 'bottom', label: 'Audit', order: 2, permission: 'audit.read' },
  },
]
