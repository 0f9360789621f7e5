import { useEffect, useRef, useState } from 'react'
import type { Mapping } from '../../../lib/mapping/mapping.ts'
import { call, Problem } from '../../../ui/api.ts'
import { Ago, plural } from '../../../ui/format.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes, type Hook, type Previewed } from '../contract.ts'

const pauseMs = 500

/**
 * What the rules would make of the last bodies, asked again when a rule changes or something comes.
 * @param mapping undefined while it says nothing that can be tried: what was tried last stays
 */
export function usePreview(hook: Hook, mapping: Mapping | undefined) {
  const [tried, setTried] = useState<Previewed[]>()
  const [problem, setProblem] = useState<string>()
  const { id } = hook
  const { received } = hook.counts
  // The first is asked for at once: the form is filled from its bodies.
  const isLater = useRef(false)
  useEffect(() => {
    if (mapping === undefined || received === 0) return
    const stop = new AbortController()
    const ask = () => {
      call(routes.preview, { params: { id }, body: { mapping } }, stop.signal)
        .then((rows) => {
          isLater.current = true
          setTried(rows)
          setProblem(undefined)
        })
        .catch((error: unknown) => {
          if (error instanceof Problem) setProblem(error.message)
        })
    }
    const timer = setTimeout(ask, isLater.current ? pauseMs : 0)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [id, mapping, received])
  return { tried, problem }
}

/** The last bodies, and the calls that the rules make of each. */
export function Tried({ tried, problem }: ReturnType<typeof usePreview>) {
  if (problem !== undefined) return <Mark is="fail">{problem}</Mark>
  if (tried === undefined || tried.length === 0) return null
  return (
    <div className="stack">
      <p>On the last {plural(tried.length, 'body', 'bodies')}, these rules make (nothing is stored by looking):</p>
      {tried.map((one) => (
        <details key={one.id}>
          <summary>
            {one.topic === '' ? 'a body' : one.topic}, <Ago at={one.receivedAt} />:{' '}
            {one.problem === null ? made(one.calls) : <Mark is="warn">{one.problem}</Mark>}
          </summary>
          <pre>
            <code>{JSON.stringify(one.calls, null, 2)}</code>
          </pre>
          <p className="secondary">It came as</p>
          <pre>
            <code>{one.body}</code>
          </pre>
        </details>
      ))}
    </div>
  )
}

/** `2 calls: track “Form Sent”, identify`. */
function made(calls: Previewed['calls']): string {
  if (calls.length === 0) return 'nothing'
  const names = calls.slice(0, 5).map(({ type, event }) => {
    if (typeof type !== 'string') return 'no kind of call'
    return typeof event === 'string' ? `${type} “${event}”` : type
  })
  return `${plural(calls.length, 'call', 'calls')}: ${names.join(', ')}${calls.length > 5 ? ', …' : ''}`
}
