import { Button, Textarea } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { routes as accounts } from '../../accounts/contract.ts'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ask } from '../../../ui/page.tsx'
import { Lamp, Mark } from '../../../ui/signal.tsx'
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
                  <Lamp lane={row.lane} needs={row.needs} /> <span className="secondary">{row.stands}</span>
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
                {mine.length === 0 ? <p className="secondary">Nobody has asked yet.</p> : null}
                {canAsk ? <Foreseen kind={kind} objectId={objectId} /> : null}
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

/** What asking would need, so that nobody learns of a key or of a day only afterwards. */
function Foreseen({ kind, objectId }: { kind: string; objectId: string }) {
  const me = useRoute(accounts.me)
  const may = me.data?.permissions.includes('campaigns.write') === true
  const found = useRoute(routes.foresee, { query: { kind, objectId } }, { enabled: may })
  if (me.data !== undefined && !may)
    return <p className="secondary">Your roles do not let you ask; a member of either side can.</p>
  return (
    <Ask of={found}>
      {({ lane, needs, sentence, failing }) => (
        <div className="stack">
          <Lamp lane={lane} needs={needs} />
          <p>{sentence}</p>
          {failing.map((check) => (
            <p key={check.name}>
              <Mark is="fail">{check.says}</Mark>{' '}
              {check.href === undefined ? null : <Link to={check.href}>Mend it</Link>}
            </p>
          ))}
        </div>
      )}
    </Ask>
  )
}
