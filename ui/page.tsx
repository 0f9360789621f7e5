import { Button, Skeleton, Tabs } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { Link, useParams } from '@tanstack/react-router'
import {
  createContext,
  useContext,
  useEffect,
  useState,
  type ComponentType,
  type CSSProperties,
  type ReactNode,
} from 'react'
import { useAddress } from './address.tsx'
import type { Problem } from './api.ts'

/** A page of a module: its address, its name, and how to get it. `nav` puts it into the rail. */
export interface PageDefinition {
  path: string
  title: string
  load: () => Promise<ComponentType>
  nav?: {
    group: 'Know' | 'Act' | 'Measure' | 'Agree' | 'top' | 'bottom'
    label: string
    order: number
    permission?: string
  }
}

/** A word of the address, such as the id in `/people/$id`. */
export function useParam(name: string): string {
  const params: Record<string, string | undefined> = useParams({ strict: false })
  return params[name] ?? ''
}

export interface Crumb {
  label: string
  to?: string
}

/** Breadcrumb, title, sub-line, deeds; then the content. The title is the title of the tab too. */
export function Page(props: {
  title: string
  tabTitle?: string
  sub?: ReactNode
  crumbs?: readonly Crumb[]
  actions?: ReactNode
  sentence?: ReactNode
  children?: ReactNode
}) {
  const { title, tabTitle, sub, crumbs, actions, sentence, children } = props
  const narrow = useContext(NarrowPanel)
  useEffect(() => {
    document.title = `${tabTitle ?? title} · Interlock`
  }, [tabTitle, title])
  return (
    <div className="page">
      {crumbs === undefined ? null : (
        <nav className="crumbs" aria-label="Where you are">
          {crumbs.map((crumb, index) => (
            <span key={crumb.label}>
              {index > 0 ? ' / ' : ''}
              {crumb.to === undefined ? crumb.label : <Link to={crumb.to}>{crumb.label}</Link>}
            </span>
          ))}
        </nav>
      )}
      <header className="head">
        <div>
          <h1>{title}</h1>
          {sub === undefined ? null : <p className="sub">{sub}</p>}
        </div>
        {actions === undefined ? null : <div className="actions">{actions}</div>}
      </header>
      {sentence === undefined ? null : <p className="sentence">{sentence}</p>}
      {narrow?.strip}
      {narrow?.other === true ? null : children}
    </div>
  )
}

/** A part of a page with a frame of its own; the title is its heading. */
export function Card(props: {
  title?: string
  aside?: ReactNode
  children: ReactNode
  className?: string
  id?: string
}) {
  return (
    <section className={`card ${props.className ?? ''}`} id={props.id}>
      {props.title === undefined ? null : (
        <header className="card-head">
          <h2>{props.title}</h2>
          {props.aside === undefined ? null : <div className="secondary">{props.aside}</div>}
        </header>
      )}
      {props.children}
    </section>
  )
}

/** Rows of “what” and “says”. */
export function Facts({ rows }: { rows: readonly { label: ReactNode; says: ReactNode; key?: string }[] }) {
  return (
    <dl className="facts">
      {rows.map((row, index) => (
        <div key={row.key ?? (typeof row.label === 'string' ? row.label : String(index))}>
          <dt>{row.label}</dt>
          <dd>{row.says}</dd>
        </div>
      ))}
    </dl>
  )
}

/** What will be here, an example of it, and the one thing to do. */
export function Empty(props: { sentence: string; example?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <p>{props.sentence}</p>
      {props.example === undefined ? null : <div className="example">{props.example}</div>}
      {props.action}
    </div>
  )
}

export type Shape = 'rows' | 'table' | 'page'

/** The shape of what comes, after 200 ms, so that fast answers do not flicker. */
export function Loading({ rows = 4, shape = 'rows' }: { rows?: number; shape?: Shape }) {
  const [shown, setShown] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => {
      setShown(true)
    }, 200)
    return () => {
      clearTimeout(timer)
    }
  }, [])
  const bars = (count: number, height = 18) =>
    Array.from({ length: count }, (_none, index) => (
      <Skeleton key={index} height={height} radius={6} width={`${String(96 - ((index * 17) % 40))}%`} />
    ))
  if (!shown) return <div aria-busy="true" className="loading" />
  const busy = { 'aria-busy': true, role: 'status', 'aria-label': 'Loading' } as const
  if (shape === 'page')
    return (
      <div {...busy} className="page">
        <Skeleton height={30} width="46%" radius={6} />
        <Skeleton height={16} width="70%" radius={6} />
        <div className="card loading">{bars(2, 22)}</div>
        <div className="cards">
          <div className="card loading">{bars(rows)}</div>
          <div className="card loading">{bars(rows)}</div>
        </div>
      </div>
    )
  if (shape === 'table')
    return (
      <div {...busy} className="card loading">
        <Skeleton height={12} width="60%" radius={6} />
        {Array.from({ length: Math.max(rows, 6) }, (_none, index) => (
          <div key={index} className="loading-row">
            <Skeleton height={18} radius={6} />
            <Skeleton height={18} radius={6} />
            <Skeleton height={18} radius={6} width="60%" />
          </div>
        ))}
      </div>
    )
  return (
    <div {...busy} className="loading">
      {bars(rows)}
    </div>
  )
}

/** A refusal in place of what was asked for: what is wrong, what would pass. */
export function ProblemNote({ problem, again }: { problem: Problem; again?: () => void }) {
  return (
    <div className="problem" role="alert">
      <strong>{problem.message}</strong>
      <span>{problem.passes}</span>
      {again === undefined ? null : (
        <Button variant="default" size="xs" onClick={again}>
          Try again
        </Button>
      )}
    </div>
  )
}

/** One of: loading, refused, here. */
export function Ask<Value>(props: {
  of: { data: Value | undefined; error: Problem | null; refetch: () => unknown }
  rows?: number
  /** What comes: rows within a card, a table, or a whole page. */
  shape?: Shape
  children: (value: Value) => ReactNode
}) {
  const { of, rows, shape, children } = props
  if (of.data !== undefined) return <>{children(of.data)}</>
  if (of.error !== null) {
    const note = <ProblemNote problem={of.error} again={() => void of.refetch()} />
    return shape === 'page' ? <div className="page">{note}</div> : note
  }
  return <Loading {...(rows === undefined ? {} : { rows })} {...(shape === undefined ? {} : { shape })} />
}

/** Below 1,100 px the page itself shows the strip of tabs, and in place of its content what was chosen there. */
const NarrowPanel = createContext<{ strip: ReactNode; other: boolean } | undefined>(undefined)
const wordOf = (name: string) => name.toLowerCase().replaceAll(' ', '-')

/** The thing on the left, what belongs to it on the right; below 1,100 px tabs under its title. The tab stands in the address. */
export function ObjectLayout(props: { children: ReactNode; panel: Readonly<Record<string, ReactNode>> }) {
  const names = Object.keys(props.panel)
  const [words, put] = useAddress()
  const narrow = useMediaQuery('(max-width: 1100px)', undefined, { getInitialValueInEffect: false })
  const asked = names.find((name) => wordOf(name) === words['tab'])
  const choose = (value: string | null) => {
    put({ tab: value === null || value === 'overview' ? undefined : value })
  }
  const tabs = (extra: readonly string[]) => (
    <Tabs.List aria-label="What belongs to it">
      {[...extra, ...names].map((name) => (
        <Tabs.Tab key={name} value={wordOf(name)}>
          {name}
        </Tabs.Tab>
      ))}
    </Tabs.List>
  )
  const value = asked === undefined ? 'overview' : wordOf(asked)
  const strip = (
    <Tabs value={value} onChange={choose} keepMounted={false} className="object-tabs">
      {tabs(['Overview'])}
      {['Overview', ...names].map((name) => (
        <Tabs.Panel key={name} value={wordOf(name)} pt={name === 'Overview' ? 0 : 'md'}>
          {name === 'Overview' ? null : <Card title={name}>{props.panel[name]}</Card>}
        </Tabs.Panel>
      ))}
    </Tabs>
  )
  // The same elements at every width: what is half written in the page stays when a tablet is turned.
  return (
    <div className="object">
      <div className="object-main">
        <NarrowPanel value={narrow ? { strip, other: asked !== undefined } : undefined}>{props.children}</NarrowPanel>
      </div>
      {narrow ? null : (
        <aside className="panel" aria-label="What belongs to it">
          <Tabs value={wordOf(asked ?? names[0] ?? '')} onChange={choose} keepMounted={false}>
            {tabs([])}
            {names.map((name) => (
              <Tabs.Panel key={name} value={wordOf(name)} pt="md">
                {props.panel[name]}
              </Tabs.Panel>
            ))}
          </Tabs>
        </aside>
      )}
    </div>
  )
}

/** A table; what is too wide scrolls within its card, and on a phone each row is a card that names its cells by the heads. */
export function Table(props: {
  head: readonly ReactNode[]
  children: ReactNode
  label: string
  right?: readonly number[]
}) {
  const heads = Object.fromEntries(
    props.head.map((cell, index) => [
      `--h${String(index + 1)}`,
      typeof cell === 'string' ? JSON.stringify(cell) : '""',
    ]),
  ) as CSSProperties
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <div className="table-scroll" tabIndex={0} role="region" aria-label={props.label}>
      <table className="table" style={heads}>
        <thead>
          <tr>
            {props.head.map((cell, index) =>
              // A column of buttons has no name that is worth seeing.
              cell === '' ? (
                <th key={index} scope="col">
                  <span className="hidden">Deeds</span>
                </th>
              ) : (
                <th key={index} scope="col" className={props.right?.includes(index) === true ? 'right' : undefined}>
                  {cell}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  )
}
