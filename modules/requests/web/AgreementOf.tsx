import { Button, Textarea } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ask } from '../../../ui/page.tsx'
import { Lamp } from '../../../ui/signal.tsx'
import { routes } from '../contract.ts'

/** How a thing stands with the other side: its newest request, or the way to ask. */
export function AgreementOf({
  kind,
  objectId,
  canAsk,
  whyNot,
}: {
  kind: string
  objectId: string
  canAsk: boolean
  whyNot?: string
}) {
  const list = useRoute(routes.list)
  const navigate = useNavigate()
  const [note, setNote] = useState('')
  const open = useDeed(routes.open, { touches: ['/api/requests', '/api/cockpit', '/api/audit'] })
  return (
    <Ask of={list}>
      {(rows) => {
        const mine = rows.filter((row) => row.kind === kind && row.objectId === objectId)
        const current = mine.find((row) => row.state === 'waiting' || row.state === 'ready' || row.state === 'live')
        return (
          <div className="stack">
            {mine.map((row) => (
              <div key={row.id}>
                <div className="row">
                  <Lamp lane={row.lane} /> <span className="secondary">{row.state}</span>
                </div>
                <p>{row.sentence}</p>
                <Link to={`/requests/${row.id}`}>To the request</Link>
              </div>
            ))}
            {!canAsk && mine.length > 0 ? <p className="secondary">{whyNot}</p> : null}
            {current === undefined && (canAsk || mine.length === 0) ? (
              <form
                className="stack"
                onSubmit={(event: FormEvent) => {
                  event.preventDefault()
                  open.mutate(
                    { body: { kind, objectId, note } },
                    { onSuccess: (request) => void navigate({ to: `/requests/${request.id}` }) },
                  )
                }}
              >
                {mine.length === 0 ? (
                  <p className="secondary">
                    Nobody has asked yet. Asking computes what it does, which keys it needs, and why.
                  </p>
                ) : null}
                <Textarea
                  label="What should the others know?"
                  autosize
                  minRows={2}
                  value={note}
                  onChange={(event) => {
                    setNote(event.currentTarget.value)
                  }}
                />
                <Button type="submit" disabled={!canAsk} loading={open.isPending}>
                  Ask to let it go live
                </Button>
                {canAsk || whyNot === undefined ? null : <p className="secondary">{whyNot}</p>}
              </form>
            ) : null}
          </div>
        )
      }}
    </Ask>
  )
}
