import { Button, Skeleton, Tabs } from '@mantine/core'
import { Link, useParams } from '@tanstack/react-router'
import { useEffect, useState, type ComponentType, type ReactNode } from 'react'
import type { Problem } from './api.ts'

/** A page of a module: its address, its name, and how to get it. `nav` puts it into the rail. */
export interface PageDefinition {
  path: string
  title: string
  load: () => Promise<ComponentType>
  nav?: { group: 'Know' | 'Act' | 'Agree' | 'top' | 'bottom'; label: string; order: number; permission?: string }
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
      {children}
    </div>
  )
}

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

/** The shape of what comes, after 200 ms, so that fast answers do not flicker. */
export function Loading({ rows = 4 }: { rows?: number }) {
  const [shown, setShown] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => {
      setShown(true)
    }, 200)
    return () => {
      clearTimeout(timer)
    }
  }, [])
  if (!shown) return <div aria-busy="true" className="loading" />
  return (
    <div aria-busy="true" aria-label="Loading" className="loading">
      {Array.from({ length: rows }, (_none, index) => (
        <Skeleton key={index} height={18} radius={6} width={`${String(96 - ((index * 17) % 40))}%`} />
      ))}
    </div>
  )
}

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
  children: (value: Value) => ReactNode
}) {
  const { of, rows, children } = props
  if (of.data !== undefined) return <>{children(of.data)}</>
  if (of.error !== null) return <ProblemNote problem={of.error} again={() => void of.refetch()} />
  return <Loading {...(rows === undefined ? {} : { rows })} />
}

/** The thing on the left, what belongs to it on the right; below 1,100 px the panel goes under the thing. */
export function ObjectLayout(props: { children: ReactNode; panel: Readonly<Record<string, ReactNode>> }) {
  const names = Object.keys(props.panel)
  const [tab, setTab] = useState<string | null>('0')
  return (
    <div className="object">
      <div className="object-main">{props.children}</div>
      <aside className="panel" aria-label="What belongs to it">
        <Tabs value={tab} onChange={setTab} keepMounted={false}>
          <Tabs.List>
            {names.map((name, index) => (
              <Tabs.Tab key={name} value={String(index)}>
                {name}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {names.map((name, index) => (
            <Tabs.Panel key={name} value={String(index)} pt="md">
              {props.panel[name]}
            </Tabs.Panel>
          ))}
        </Tabs>
      </aside>
    </div>
  )
}

/** A wide table that scrolls within itself on a phone. */
export function Table(props: {
  head: readonly ReactNode[]
  children: ReactNode
  label: string
  right?: readonly number[]
}) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <div className="table-scroll" tabIndex={0} role="region" aria-label={props.label}>
      <table className="table">
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
