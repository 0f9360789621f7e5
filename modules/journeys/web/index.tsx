import type { PageDefinition } from '../../../ui/page.tsx'

export const pages: PageDefinition[] = [
  {
    path: '/campaigns',
    title: 'Broadcasts and what became of them',
    load: async () => (await import('./CampaignsPage.tsx')).CampaignsPage,
    nav: { group: 'Act', label: 'Campaigns', order: 1 },
  },
  { path: '/campaigns/$id', title: 'A broadcast', load: async () => (await import('./CampaignPage.tsx')).CampaignPage },
  {
    path: '/campaigns/$id/messages',
    title: 'The ledger of a broadcast',
    load: async () => (await import('./MessagesPage.tsx')).MessagesPage,
  },
]
