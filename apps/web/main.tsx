import '@fontsource-variable/inter/index.css'
import '../../ui/style/mantine.css'
import '@mantine/notifications/styles.css'
import '../../ui/style.css'
import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createRootRoute, createRoute, createRouter, Link, Outlet, RouterProvider } from '@tanstack/react-router'
import { lazy, StrictMode, Suspense, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { outside } from '../../modules/accounts/web/index.tsx'
import { readWords, writeWords } from '../../ui/address.tsx'
import { Problem } from '../../ui/api.ts'
import { Empty, Loading, Page, type PageDefinition } from '../../ui/page.tsx'
import { PanelsProvider } from '../../ui/panels.tsx'
import { theme } from '../../ui/theme.ts'
import { pages, panels } from './pages.ts'
import { Shell } from './shell.tsx'

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // A refusal stays one however often one asks; only a server that is away is asked again.
      retry: (tries, error) => tries < 2 && error instanceof Problem && (error.status === 0 || error.status === 503),
    },
    mutations: { retry: false },
  },
})

/** A page comes when it is asked for; meanwhile its shape stands there. */
function lazily(load: PageDefinition['load'], shape: 'page' | 'rows'): () => ReactNode {
  const Shown = lazy(async () => ({ default: await load() }))
  return () => (
    <Suspense fallback={<Loading shape={shape} />}>
      <Shown />
    </Suspense>
  )
}

const root = createRootRoute({ component: Outlet })
const house = createRoute({ getParentRoute: () => root, id: 'house', component: Shell })
const router = createRouter({
  routeTree: root.addChildren([
    ...outside.map(({ path, load }) =>
      createRoute({ getParentRoute: () => root, path, component: lazily(load, 'rows') }),
    ),
    house.addChildren(
      pages.map(({ path, load }) =>
        createRoute({ getParentRoute: () => house, path, component: lazily(load, 'page') }),
      ),
    ),
  ]),
  parseSearch: readWords,
  stringifySearch: writeWords,
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultNotFoundComponent: () => (
    <main>
      <Page title="There is no such page">
        <Empty
          sentence="The address leads nowhere; what was here may have moved."
          action={<Link to="/">To what needs you</Link>}
        />
      </Page>
    </main>
  ),
})

const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? ''
// What locks the page behind a dialog (react-remove-scroll) asks for the nonce under this name.
;(globalThis as { __webpack_nonce__?: string }).__webpack_nonce__ = nonce
const place = document.querySelector('#root')
if (place === null) throw new Error('the page has no place for the app')
createRoot(place).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <QueryClientProvider client={client}>
        <Notifications position="bottom-right" limit={3} />
        <PanelsProvider value={panels}>
          <RouterProvider router={router} />
        </PanelsProvider>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
