import { lazy, Suspense, type ComponentProps } from 'react'
import type { PageDefinition } from '../../../ui/page.tsx'

const Loaded = lazy(async () => ({ default: (await import('./AuditOf.tsx')).AuditOf }))
/** What was done to a thing. Loaded with the page that shows it: this file is part of the first load of every page. */
export const AuditOf = (props: ComponentProps<typeof Loaded>) => (
  <Suspense fallback={null}>
    <Loaded {...props} />
  </Suspense>
)

export const pages: PageDefinition[] = [
  {
    path: '/audit',
    title: 'The audit log',
    load: async () => (await import('./AuditPage.tsx')).AuditPage,
    nav: { group: 'bottom', label: 'Audit', order: 2, permission: 'audit.read' },
  },
]
