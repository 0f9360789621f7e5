import { Button, Select } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { routes as sources } from '../../sources/contract.ts'
import { useAddress } from '../../../ui/address.tsx'
import { call, useRoute } from '../../../ui/api.ts'
import { Card, Page } from '../../../ui/page.tsx'
import { routes, type Inspected } from '../contract.ts'
import { Events } from './Events.tsx'

const kept = 200

/** The live inspector: events as they arrive, and what becomes of each. Pausable, because nobody reads what moves. */
export function LivePage() {
  const [{ source }, put] = useAddress()
  const list = useRoute(sources.list)
  const [events, setEvents] = useState<readonly Inspected[]>([])
  const [paused, setPaused] = useState(false)
  const [connected, setConnected] = useState(false)
  useEffect(() => {
    if (paused) return undefined
    const query = source === undefined ? '' : `?source=${encodeURIComponent(source)}`
    let gone = false
    call(routes.recent, { query: { limit: 50, ...(source === undefined ? {} : { source: source }) } })
      .then((first) => {
        if (!gone) setEvents(first.events)
      })
      .catch(() => undefined)
    const stream = new EventSource(`/api/collect/stream${query}`)
    stream.addEventListener('open', () => {
      setConnected(true)
    })
    stream.addEventListener('error', () => {
      setConnected(false)
    })
    stream.addEventListener('message', (message: MessageEvent<string>) => {
      const fresh = JSON.parse(message.data) as Inspected[]
      const known = new Set(fresh.map((event) => event.position))
      setEvents((before) =>
        [...fresh, ...before.filter((other) => !known.has(other.position))]
          .sort((a, b) => Number(b.position) - Number(a.position))
          .slice(0, kept),
      )
    })
    return () => {
      gone = true
      stream.close()
    }
  }, [source, paused])
  const names = useMemo(
    () => new Map((list.data?.sources ?? []).map((one) => [one.id as string, one.name])),
    [list.data],
  )
  return (
    <Page
      title="Events as they arrive"
      crumbs={[{ label: 'Sources', to: '/sources' }, { label: 'Live' }]}
      sub={
        paused
          ? 'Paused: what arrives meanwhile is stored all the same.'
          : connected
            ? 'Connected. Each event shows within a second, and again when it is known what became of it.'
            : 'Connecting…'
      }
      actions={
        <>
          <Button component={Link} to="/sources/events" variant="default">
            Find an event
          </Button>
          <Button
            variant="default"
            onClick={() => {
              setPaused(!paused)
            }}
          >
            {paused ? 'Go on' : 'Pause'}
          </Button>
        </>
      }
    >
      <div className="row">
        <Select
          aria-label="Which source"
          placeholder="All sources"
          clearable
          data={(list.data?.sources ?? []).map((one) => ({ value: one.id as string, label: one.name }))}
          value={source ?? null}
          onChange={(value) => {
            put({ source: value ?? undefined })
          }}
        />
      </div>
      <Card>
        <Events limit={50} events={events} names={names} />
      </Card>
    </Page>
  )
}
