import { Button, Select } from '@mantine/core'
import { useState } from 'react'
import { routes as sources } from '../../sources/contract.ts'
import { useAddress } from '../../../ui/address.tsx'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, count, plural } from '../../../ui/format.tsx'
import { Ask, Card, Empty, Page, Table } from '../../../ui/page.tsx'
import { SureButton } from '../../../ui/sure.tsx'
import { routes } from '../contract.ts'
import { Replays } from './Replays.tsx'

export function QuarantinePage() {
  const [{ source, reason, type, name }, put] = useAddress()
  const choice = {
    ...(source === undefined ? {} : { source: source as never }),
    ...(reason === undefined ? {} : { reason }),
    ...(type === undefined ? {} : { type }),
    ...(name === undefined ? {} : { name }),
  }
  const found = useRoute(routes.quarantine, { query: choice }, { keep: true, everyMs: 5_000 })
  const list = useRoute(sources.list)
  const names = new Map((list.data?.sources ?? []).map((one) => [one.id as string, one.name]))
  return (
    <Page
      title="Quarantine"
      crumbs={[{ label: 'Sources', to: '/sources' }, { label: 'Quarantine' }]}
      sub="Events that could not be stored as what they claim to be. They are kept for 90 days with the reason; nothing disappears in silence. When the reason is gone, they are replayed."
    >
      <Ask of={found} shape="table">
        {({ reasons, names: events, matched, samples }) =>
          reasons.length === 0 && source === undefined ? (
            <Empty
              sentence="Nothing is in quarantine."
              example="An event without any identifier, with an impossible time, with a body that is no object, or one that violates its tracking plan would be here, with its raw bytes and the reason."
            />
          ) : (
            <>
              <Card title="Which" aside={plural(matched, 'event', 'events')}>
                <div className="condition above">
                  <Select
                    label="Source"
                    placeholder="every source"
                    clearable
                    data={[...names].map(([value, label]) => ({ value, label }))}
                    value={source ?? null}
                    onChange={(value) => {
                      put({ source: value ?? undefined, type: undefined, name: undefined })
                    }}
                  />
                  <Select
                    label="Event"
                    placeholder="every event"
                    clearable
                    searchable
                    data={events
                      .filter((one) => one.name !== '')
                      .map((one) => ({
                        value: `${one.type} ${one.name}`,
                        label: `${one.name} (${count(one.events)})`,
                      }))}
                    value={name === undefined ? null : `${type ?? ''} ${name}`}
                    onChange={(value) => {
                      const [kind = '', ...rest] = (value ?? '').split(' ')
                      put(value === null ? { type: undefined, name: undefined } : { type: kind, name: rest.join(' ') })
                    }}
                  />
                </div>
                {reasons.length === 0 ? (
                  <p>Nothing of this is in quarantine.</p>
                ) : (
                  <Table label="Reasons" head={['Reason', 'Events', 'Last', '']} right={[1]}>
                    {reasons.map((row) => (
                      <tr key={row.reason}>
                        <td>
                          {row.because}
                          <br />
                          <code>{row.reason}</code>
                        </td>
                        <td className="right">{count(row.events)}</td>
                        <td>
                          <Ago at={row.lastAt} />
                        </td>
                        <td>
                          <Button
                            size="compact-sm"
                            variant="default"
                            onClick={() => {
                              put({ reason: reason === row.reason ? undefined : row.reason }, { step: true })
                            }}
                          >
                            {reason === row.reason ? 'Show all' : 'Show only these'}
                          </Button>
                        </td>
                      </tr>
                    ))}
                  </Table>
                )}
              </Card>
              <Replays choice={choice} matched={matched} />
              {samples.length === 0 ? null : (
                <Card title="Samples" aside={`the latest ${plural(samples.length, 'event', 'events')}`}>
                  <Table label="Samples" head={['Arrived', 'Source', 'Event', 'Because', 'Raw']}>
                    {samples.map((row) => (
                      <tr key={`${row.position} ${row.receivedAt}`}>
                        <td>
                          <Ago at={row.receivedAt} />
                        </td>
                        <td>{names.get(row.sourceId) ?? ''}</td>
                        <td>{row.name || row.type || '–'}</td>
                        <td>{row.because}</td>
                        <td>
                          <code>{row.raw.slice(0, 160)}</code>
                        </td>
                      </tr>
                    ))}
                  </Table>
                </Card>
              )}
            </>
          )
        }
      </Ask>
      <Parked />
    </Page>
  )
}

/** What came with a write key that no source has: kept for a day, to be taken in by a click. */
function Parked() {
  const parked = useRoute(routes.parked)
  const list = useRoute(sources.list)
  const [into, setInto] = useState<Record<string, string>>({})
  const recover = useDeed(routes.recover, {
    touches: ['/api/collect', '/api/sources'],
    done: (reply) => `${plural(reply.events, 'event was', 'events were')} taken in.`,
  })
  if (parked.data === undefined || parked.data.keys.length === 0) return null
  const data = (list.data?.sources ?? [])
    .filter((one) => one.kind !== 'internal')
    .map((one) => ({ value: one.id as string, label: one.name }))
  return (
    <Card id="parked" title="Sent with an unknown write key" aside="kept for 24 hours">
      <Table label="Unknown write keys" head={['Write key', 'Requests', 'Last', 'Take it into', '']} right={[1]}>
        {parked.data.keys.map((row) => (
          <tr key={row.writeKey}>
            <td>
              <code>{row.writeKey === '' ? '(none)' : row.writeKey}</code>
            </td>
            <td className="right">{count(row.requests)}</td>
            <td>
              <Ago at={row.lastAt} />
            </td>
            <td>
              <Select
                aria-label="Source"
                data={data}
                value={into[row.writeKey] ?? null}
                onChange={(value) => {
                  setInto((before) => ({ ...before, [row.writeKey]: value ?? '' }))
                }}
              />
            </td>
            <td>
              <SureButton
                label="Take it in"
                size="compact-sm"
                disabled={(into[row.writeKey] ?? '') === ''}
                title={(into[row.writeKey] ?? '') === '' ? 'Choose the source first.' : undefined}
                loading={recover.isPending}
                says="What was sent with this key becomes events of that source, and people are made and joined by them. That cannot be undone."
                onSure={() => {
                  recover.mutate({ body: { writeKey: row.writeKey, sourceId: into[row.writeKey] ?? '' } })
                }}
              />
            </td>
          </tr>
        ))}
      </Table>
    </Card>
  )
}
