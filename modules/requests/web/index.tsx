import { lazy, Suspense, type ComponentProps } from 'react'
import type { PageDefinition } from '../../../ui/page.tsx'

const Loaded = lazy(async () => ({ default: (await import('./AgreementOf.tsx')).AgreementOf }))
/** How a thing stands with the other side. Loaded with the page that shows it: this file is part of the first load of every page. */
export const AgreementOf = (props: ComponentProps<typeof Loaded>) => (
  <Suspense fallback={null}>
    <Loaded {...props} />
  </Suspense>
)
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
