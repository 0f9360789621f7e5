import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/webhooks',
    title: 'Inbound webhooks',
    load: async () => (await import('./WebhooksPage.tsx')).WebhooksPage,
  },
  { path: '/webhooks/$id', title: 'A webhook', load: async () => (await import('./WebhookPage.tsx')).WebhookPage },
]
