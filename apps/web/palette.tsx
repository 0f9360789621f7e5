import '@mantine/spotlight/styles.css'
import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { Spotlight, spotlight, type SpotlightActionData } from '@mantine/spotlight'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { routes as content } from '../../modules/content/contract.ts'
import { routes as imports } from '../../modules/imports/contract.ts'
import { routes as journeys } from '../../modules/journeys/contract.ts'
import { routes as profiles } from '../../modules/profiles/contract.ts'
import { routes as requests } from '../../modules/requests/contract.ts'
import { routes as segments } from '../../modules/segments/contract.ts'
import { routes as sources } from '../../modules/sources/contract.ts'
import { routes as tools } from '../../modules/tools/contract.ts'
import { useRoute } from '../../ui/api.ts'
import { calledOf } from '../../ui/format.tsx'
import { pages } from './pages.ts'

/** What one can begin from anywhere. */
const deeds: readonly { label: string; says: string; to: string; permission: string }[] = [
  { label: 'New segment', says: 'A sentence about people', to: '/segments/new', permission: 'campaigns.write' },
  { label: 'New mail', says: 'Blocks or MJML', to: '/content/new', permission: 'campaigns.write' },
  { label: 'New broadcast', says: 'One mail to one audience', to: '/campaigns/new', permission: 'campaigns.write' },
  { label: 'Add a source', says: 'A feed with a write key', to: '/sources?add=yes', permission: 'data.write' },
  { label: 'Import a file', says: 'A CRM export or a list as CSV', to: '/imports', permission: 'data.write' },
  {
    label: 'Let files come by themselves',
    says: 'From a folder or an address, again and again',
    to: '/standing-imports',
    permission: 'data.write',
  },
  {
    label: 'Read a database or Salesforce',
    says: 'A table of an old system or an object, again and again',
    to: '/pulls',
    permission: 'data.write',
  },
  {
    label: 'Open a webhook',
    says: 'A shop, a form or a payment service sends signed messages',
    to: '/webhooks',
    permission: 'data.write',
  },
  {
    label: 'Add a feed',
    says: 'What your sites publish: RSS, Atom, JSON Feed, WordPress',
    to: '/feeds',
    permission: 'data.write',
  },
  {
    label: 'Lead a tap here',
    says: 'What a Singer tap or an Airbyte source writes',
    to: '/streams',
    permission: 'data.write',
  },
  {
    label: 'Invite a person',
    says: 'Somebody who will work here',
    to: '/settings/people?invite=yes',
    permission: 'admin',
  },
]

/** Ctrl-K, open as it is mounted: pages, what one can begin, and everything that has a name. People are searched on the server as one types. */
export function Palette({ permissions, keys }: { permissions: readonly string[]; keys: () => void }) {
  const navigate = useNavigate()
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false })
  const { setColorScheme } = useMantineColorScheme()
  const [query, setQuery] = useState('')
  const enabled = query.trim().length > 1
  useEffect(() => {
    spotlight.open()
  }, [])
  const people = useRoute(profiles.list, { query: { search: query.trim() } }, { enabled, keep: true })
  const open = useRoute(requests.list, {}, { enabled })
  const casts = useRoute(journeys.list, {}, { enabled })
  const groups = useRoute(segments.list, {}, { enabled })
  const mails = useRoute(content.list, {}, { enabled })
  const feeds = useRoute(sources.list, {}, { enabled })
  const files = useRoute(imports.list, {}, { enabled })
  const register = useRoute(tools.list, {}, { enabled })
  const go = (id: string, label: string, description: string, to: string): SpotlightActionData => ({
    id,
    label,
    description,
    onClick: () => void navigate({ href: to }),
  })
  const other = scheme === 'dark' ? 'light' : 'dark'
  const actions = [
    {
      group: 'Pages',
      actions: pages
        .filter((page) => !page.path.includes('$'))
        .filter((page) => page.nav?.permission === undefined || permissions.includes(page.nav.permission))
        .map((page) => go(page.path, page.nav?.label ?? page.title, page.title, page.path)),
    },
    {
      group: 'Begin',
      actions: [
        ...deeds
          .filter((deed) => permissions.includes(deed.permission))
          .map((deed) => go(deed.label, deed.label, deed.says, deed.to)),
        {
          id: 'scheme',
          label: `Switch to ${other}`,
          description: 'For this browser',
          onClick: () => {
            setColorScheme(other)
          },
        },
        { id: 'keys', label: 'Keyboard shortcuts', description: 'The sheet that ? opens', onClick: keys },
      ],
    },
    {
      group: 'Campaigns',
      actions: (casts.data ?? []).map((row) => go(row.id, row.name, row.sentence, `/campaigns/${row.id}`)),
    },
    {
      group: 'Requests',
      actions: (open.data ?? []).map((row) => go(row.id, row.title, row.sentence, `/requests/${row.id}`)),
    },
    {
      group: 'Segments',
      actions: (groups.data ?? []).map((row) => go(row.id, row.name, row.says, `/segments/${row.id}`)),
    },
    {
      group: 'Mails',
      actions: (mails.data ?? []).map((row) => go(row.id, row.name, row.body.subject, `/content/${row.id}`)),
    },
    {
      group: 'Sources',
      actions: (feeds.data?.sources ?? []).map((row) => go(row.id, row.name, 'A source', `/sources/${row.id}`)),
    },
    {
      group: 'Imports',
      actions: (files.data ?? []).map((row) =>
        go(row.id, row.fileName, `Into ${row.sourceName}`, `/imports/${row.id}`),
      ),
    },
    {
      group: 'Tools',
      actions: (register.data ?? []).map((row) => go(row.id, row.name, row.capability, `/tools/${row.id}`)),
    },
    {
      group: 'People',
      actions: enabled
        ? (people.data?.people ?? []).slice(0, 8).map((row) => ({
            ...go(row.id, calledOf(row), row.email ?? '', `/people/${row.id}`),
            keywords: [query],
          }))
        : [],
    },
  ]
  return (
    <Spotlight
      actions={actions}
      query={query}
      onQueryChange={setQuery}
      shortcut={null}
      highlightQuery
      limit={24}
      scrollable
      maxHeight={440}
      nothingFound="Nothing has this name."
      searchProps={{ placeholder: 'A page, a deed, a person, a campaign, a tool…', 'aria-label': 'Search' }}
    />
  )
}
