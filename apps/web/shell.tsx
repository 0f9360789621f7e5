import { Drawer, Menu, useMantineColorScheme } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useCallback, useEffect, useState, type ReactNode } from 'react'
import { routes as accounts } from '../../modules/accounts/contract.ts'
import { routes as cockpit } from '../../modules/cockpit/contract.ts'
import { useDeed, useRoute } from '../../ui/api.ts'
import { Loading, ProblemNote, type PageDefinition } from '../../ui/page.tsx'
import { Avatar, sideName } from '../../ui/signal.tsx'
import { Keys } from './keys.tsx'
import { pages } from './pages.ts'

const loadPalette = () => import('./palette.tsx')
const Palette = lazy(async () => ({ default: (await loadPalette()).Palette }))
/** The palette is fetched when the page had its time, so that the first Ctrl-K finds it there. */
const paletteAfterMs = 1_500

const groups = ['Know', 'Act', 'Measure', 'Agree'] as const

/** The frame of every page: rail, palette, who is signed in. Without a session it leads to the sign-in and back. */
export function Shell() {
  const me = useRoute(accounts.me)
  const outside = me.error?.status === 401
  const navigate = useNavigate()
  // Where they wanted to go when the page opened. Asked once: this shows, and is drawn anew, while the address is on its way to the sign-in.
  const [wanted] = useState(useLocation().href)
  useEffect(() => {
    if (outside) void navigate({ to: '/sign-in', search: { next: wanted === '/' ? undefined : wanted }, replace: true })
  }, [outside, navigate, wanted])
  if (outside) return null
  if (me.data === undefined)
    return (
      <div className="page">
        {me.error === null ? <Loading /> : <ProblemNote problem={me.error} again={() => void me.refetch()} />}
      </div>
    )
  return <Frame me={me.data} />
}

function Frame({ me }: { me: { name: string; side: 'marketing' | 'it'; permissions: string[] } }) {
  const home = useRoute(cockpit.home, {}, { everyMs: 20_000 })
  const at = useLocation()
  // Open for one address: whoever went to a page has chosen.
  const [moreAt, setMoreAt] = useState<string | undefined>()
  const [keys, setKeys] = useState(false)
  const [sought, setSought] = useState(0)
  const seek = useCallback(() => {
    setSought((before) => before + 1)
  }, [])
  useEffect(() => {
    const timer = setTimeout(() => void loadPalette(), paletteAfterMs)
    return () => {
      clearTimeout(timer)
    }
  }, [])
  const more = moreAt === at.pathname
  const setMore = (open: boolean) => {
    setMoreAt(open ? at.pathname : undefined)
  }
  const waiting = home.data?.needsYou.length ?? 0
  const shown = pages.filter(
    (page) =>
      page.nav !== undefined && (page.nav.permission === undefined || me.permissions.includes(page.nav.permission)),
  )
  const of = (group: NonNullable<PageDefinition['nav']>['group']) =>
    shown.filter((page) => page.nav?.group === group).sort((a, b) => (a.nav?.order ?? 0) - (b.nav?.order ?? 0))
  const item = (page: PageDefinition, extra?: ReactNode) => <Item key={page.path} page={page} extra={extra} />
  const lists = (
    <>
      {of('top').map((page) =>
        item(
          page,
          page.path === '/' && waiting > 0 ? (
            <span className="count" aria-label={`${String(waiting)} things wait for you`}>
              {waiting}
            </span>
          ) : undefined,
        ),
      )}
      {groups.map((group) => (
        <div key={group}>
          <h3>{group}</h3>
          {of(group).map((page) => item(page))}
        </div>
      ))}
    </>
  )
  return (
    <div className="shell">
      <a className="skip" href="#main">
        To the content
      </a>
      {sought === 0 ? null : (
        <Suspense fallback={null}>
          <Palette
            key={sought}
            permissions={me.permissions}
            keys={() => {
              setKeys(true)
            }}
          />
        </Suspense>
      )}
      <Keys open={keys} setOpen={setKeys} seek={seek} />
      <nav className="rail" aria-label="Pages">
        <Link to="/" className="brand">
          <img src="/mark.svg" alt="" width="24" height="24" /> Interlock
        </Link>
        <button type="button" className="seek" onClick={seek}>
          <span>Search</span> <span>Ctrl K</span>
        </button>
        {lists}
        <div className="foot">
          {of('bottom').map((page) => item(page))}
          <Who me={me} />
        </div>
      </nav>
      <main className="main" id="main">
        {home.data?.demo?.loading === null || home.data?.demo === undefined || home.data.demo === null ? null : (
          <div className="banner" role="status">
            <span>
              <span className="live" />
              {home.data.demo.loading.says} {Math.round(home.data.demo.loading.share * 100)}%. Figures grow until it is
              done; segments, mails and requests come last.
            </span>
          </div>
        )}
        <Outlet />
      </main>
      <nav className="bottom" aria-label="Pages">
        <Link to="/" activeOptions={{ exact: true }}>
          Needs you{waiting > 0 ? ` (${String(waiting)})` : ''}
        </Link>
        <Link to="/requests">Requests</Link>
        <Link to="/campaigns">Campaigns</Link>
        <button
          type="button"
          onClick={() => {
            setMore(true)
          }}
        >
          More
        </button>
      </nav>
      <Drawer
        opened={more}
        onClose={() => {
          setMore(false)
        }}
        position="bottom"
        size="85%"
        title="All pages"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <div className="rail" style={{ display: 'flex', height: 'auto', border: 0, padding: 0, position: 'static' }}>
          {lists}
          {of('bottom').map((page) => item(page))}
          <Who me={me} />
        </div>
      </Drawer>
    </div>
  )
}

function Item({ page, extra }: { page: PageDefinition; extra?: ReactNode }) {
  return (
    <Link to={page.path} className="item" activeOptions={{ exact: page.path === '/' || page.path === '/sources' }}>
      {page.nav?.label}
      {extra}
    </Link>
  )
}

function Who({ me }: { me: { name: string; side: 'marketing' | 'it' } }) {
  const navigate = useNavigate()
  const client = useQueryClient()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const out = useDeed(accounts.signOut, { touches: [] })
  return (
    <Menu position="top-start" width={220} withinPortal>
      <Menu.Target>
        <button type="button" className="who">
          <Avatar name={me.name} side={me.side} />
          <span>
            <b>{me.name}</b>
            <span className="secondary">{sideName[me.side]}</span>
          </span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Light or dark</Menu.Label>
        {(['light', 'dark', 'auto'] as const).map((scheme) => (
          <Menu.Item
            key={scheme}
            rightSection={colorScheme === scheme ? '✓' : null}
            onClick={() => {
              setColorScheme(scheme)
            }}
          >
            {{ light: 'Light', dark: 'Dark', auto: 'As the device' }[scheme]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={() => void navigate({ to: '/settings' })}>Your account</Menu.Item>
        <Menu.Item
          onClick={() => {
            out.mutate(
              {},
              {
                onSuccess() {
                  client.clear()
                  void navigate({ to: '/sign-in' })
                },
              },
            )
          }}
        >
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
