import { Select } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { fromTheStart, Pager, useAddress } from '../../../ui/address.tsx'
import { useRoute } from '../../../ui/api.ts'
import { Ago, calledOf } from '../../../ui/format.tsx'
import { List, rowsOf, type Column } from '../../../ui/list.tsx'
import { Page, useParam } from '../../../ui/page.tsx'
import { MessageState, messageStates, routes, type Message } from '../contract.ts'

const columns: readonly Column<Message>[] = [
  {
    head: 'Person',
    cell: (message) => (
      <Link to={`/people/${message.profileId}`}>
        {calledOf({ id: message.profileId, name: message.name, email: message.address })}
      </Link>
    ),
  },
  { head: 'Address', cell: (message) => message.address ?? <span className="secondary">none</span> },
  {
    head: 'Became',
    cell: (message) => (
      <>
        {messageStates[message.state].label}
        {message.reason === null ? null : (
          <>
            <br />
            <span className="secondary">{message.reason}</span>
          </>
        )}
      </>
    ),
  },
  {
    head: 'The mail server said',
    cell: (message) => (message.smtp === null ? <span className="secondary">–</span> : <code>{message.smtp}</code>),
  },
  { head: 'When', cell: (message) => <Ago at={message.at} /> },
]

/** One row for each member of the audience: what became of the mail, and what the mail server said. */
export function MessagesPage() {
  const id = useParam('id')
  const [{ after, ...words }, put] = useAddress()
  const state = MessageState.safeParse(words['state']).data
  const broadcast = useRoute(routes.get, { params: { id } })
  const list = useRoute(
    routes.messages,
    {
      params: { id },
      query: { ...(state === undefined ? {} : { state }), ...(after === undefined ? {} : { after }) },
    },
    { keep: true },
  )
  return (
    <Page
      title="Every message"
      crumbs={[
        { label: 'Campaigns', to: '/campaigns' },
        { label: broadcast.data?.name ?? '', to: `/campaigns/${String(id)}` },
      ]}
      sub="One row for each member of the audience."
    >
      <Select
        aria-label="Which messages"
        placeholder="All of them"
        clearable
        data={MessageState.options.map((one) => ({ value: one, label: messageStates[one].label }))}
        value={state ?? null}
        onChange={(next) => {
          put({ state: next ?? undefined, ...fromTheStart })
        }}
      />
      {state === undefined ? null : <p>{messageStates[state].means}</p>}
      <List
        label="Messages"
        of={rowsOf(list, (reply) => reply.messages)}
        columns={columns}
        empty={{ sentence: 'There is no such message.' }}
      />
      <Pager word="after" next={list.data?.next} />
    </Page>
  )
}
