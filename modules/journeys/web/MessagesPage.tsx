import { Button, Select } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useRoute } from '../../../ui/api.ts'
import { Ago } from '../../../ui/format.tsx'
import { Ask, Card, Empty, Page, Table, useParam } from '../../../ui/page.tsx'
import { MessageState, messageStates, routes } from '../contract.ts'

/** One row for each member of the audience: what became of the mail, and what the mail server said. */
export function MessagesPage() {
  const id = useParam('id') as never
  const [state, setState] = useState<string | null>(null)
  const [after, setAfter] = useState<string | undefined>()
  const broadcast = useRoute(routes.get, { params: { id } })
  const list = useRoute(
    routes.messages,
    {
      params: { id },
      query: { ...(state === null ? {} : { state: state as MessageState }), ...(after === undefined ? {} : { after }) },
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
        value={state}
        onChange={(next) => {
          setState(next)
          setAfter(undefined)
        }}
      />
      {state === null ? null : <p>{messageStates[state as MessageState].means}</p>}
      <Ask of={list}>
        {({ messages, next }) =>
          messages.length === 0 ? (
            <Empty sentence="There is no such message." />
          ) : (
            <>
              <Card className="list">
                <Table label="Messages" head={['Person', 'Address', 'Became', 'The mail server said', 'When']}>
                  {messages.map((message) => (
                    <tr key={message.id}>
                      <td>
                        <Link to={`/people/${message.profileId}`}>
                          {message.name === '' ? 'Somebody without a name' : message.name}
                        </Link>
                      </td>
                      <td>{message.address ?? <span className="secondary">none</span>}</td>
                      <td>
                        {messageStates[message.state].label}
                        {message.reason === null ? null : (
                          <>
                            <br />
                            <span className="secondary">{message.reason}</span>
                          </>
                        )}
                      </td>
                      <td>
                        {message.smtp === null ? <span className="secondary">–</span> : <code>{message.smtp}</code>}
                      </td>
                      <td>
                        <Ago at={message.at} />
                      </td>
                    </tr>
                  ))}
                </Table>
              </Card>
              <div className="row">
                {after === undefined ? null : (
                  <Button
                    variant="default"
                    onClick={() => {
                      setAfter(undefined)
                    }}
                  >
                    From the beginning
                  </Button>
                )}
                {next === null ? null : (
                  <Button
                    variant="default"
                    onClick={() => {
                      setAfter(next)
                    }}
                  >
                    Further
                  </Button>
                )}
              </div>
            </>
          )
        }
      </Ask>
    </Page>
  )
}
