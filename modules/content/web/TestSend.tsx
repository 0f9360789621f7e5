import { Button, Select } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { routes as accounts } from '../../accounts/contract.ts'
import { routes as channels } from '../../channels/contract.ts'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Mark } from '../../../ui/signal.tsx'
import { routes, type Template } from '../contract.ts'

/** A test of what is saved, to oneself or to a colleague. */
export function TestSend({
  template,
  person,
  close,
}: {
  template: Template
  /** As whose mail it is made; null for nobody in particular. */
  person: string | null
  close: () => void
}) {
  const me = useRoute(accounts.me)
  const people = useRoute(accounts.people)
  const senders = useRoute(channels.senders)
  const [to, setTo] = useState<string | null>(null)
  const [sender, setSender] = useState<string | null>(null)
  const send = useDeed(routes.test, { touches: ['/api/mail-catcher', '/api/audit'], done: (reply) => reply.says })
  const route = useRoute(channels.route)
  const closed = route.data?.usable === false ? route.data : undefined
  const address = to ?? me.data?.email ?? null
  const from = sender ?? senders.data?.[0]?.id ?? null
  return (
    <form
      className="stack"
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        if (address === null) return
        send.mutate(
          {
            params: { id: template.id },
            body: {
              to: address,
              ...(person === null ? {} : { profileId: person }),
              ...(from === null ? {} : { senderId: from }),
            },
          },
          { onSuccess: close },
        )
      }}
    >
      <Select
        label="To"
        description="You, or a colleague who has an account here. Nobody else gets a mail without keys."
        required
        searchable
        allowDeselect={false}
        value={address}
        onChange={setTo}
        data={(people.data ?? [])
          .filter((one) => one.disabledAt === null)
          .map((one) => ({ value: one.email, label: `${one.name}, ${one.email}` }))}
      />
      <Select
        label="From"
        allowDeselect={false}
        value={from}
        onChange={setSender}
        data={(senders.data ?? []).map((one) => ({ value: one.id as string, label: `${one.name} <${one.address}>` }))}
      />
      <p className="secondary">
        Its subject begins with [Test]. It carries no tracking and is counted nowhere; the audit log says who had it
        sent to whom. At most 20 an hour.
      </p>
      {closed === undefined ? null : (
        <p>
          <Mark is="fail">It cannot be sent now: {closed.because}</Mark>{' '}
          <Link to={`/tools/${closed.toolId}`}>Mend it on the page of “{closed.toolName}”</Link>
        </p>
      )}
      {senders.data?.length === 0 ? (
        <p>
          There is no sender yet. <Link to="/settings/senders">Add one in Settings</Link>
        </p>
      ) : null}
      <Button
        type="submit"
        loading={send.isPending}
        disabled={address === null || from === null || closed !== undefined}
      >
        Send it
      </Button>
    </form>
  )
}
