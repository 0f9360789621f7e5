import { Button, CopyButton, TextInput } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ask, Card, Facts, Page } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes } from '../contract.ts'

export function SendersPage() {
  const senders = useRoute(routes.senders)
  const route = useRoute(routes.route)
  const [name, setName] = useState('')
  const [address, setAddress] = useState('')
  const create = useDeed(routes.createSender, {
    touches: ['/api/senders', '/api/cockpit', '/api/audit'],
    done: 'The sender is there, with a DKIM key of its own.',
  })
  return (
    <Page
      title="Senders and the mail route"
      crumbs={[{ label: 'Settings', to: '/settings' }, { label: 'Senders' }]}
      sub="Who mails are from, the DNS records that make receivers believe it, and the server that they leave through."
    >
      <Ask of={route}>
        {(now) => (
          <Card title="The mail route">
            <Facts
              rows={[
                {
                  label: 'Leaves through',
                  says:
                    now.kind === 'catcher' ? (
                      <>
                        the built-in catcher, <Link to="/mail-catcher">whose inbox is here</Link>; set
                        INTERLOCK_SMTP_URL to send for real
                      </>
                    ) : (
                      now.host
                    ),
                },
                { label: 'As a tool', says: <Link to={`/tools/${now.toolId}`}>{now.toolName}</Link> },
                {
                  label: 'Stands',
                  says: now.usable ? <Mark is="ok">may be used</Mark> : <Mark is="warn">{now.because}</Mark>,
                },
              ]}
            />
          </Card>
        )}
      </Ask>
      <Ask of={senders}>
        {(rows) => (
          <>
            {rows.map((sender) => (
              <Card
                key={sender.id}
                title={`${sender.name} <${sender.address}>`}
                aside={`signed for ${sender.domain} with the key “${sender.selector}”`}
              >
                <Facts
                  rows={sender.dns.map((record) => ({
                    key: record.name + record.value,
                    label: (
                      <>
                        <code>{record.name}</code>
                        <br />
                        <span className="secondary">{record.type}</span>
                      </>
                    ),
                    says: (
                      <>
                        <code>{record.value}</code>{' '}
                        <CopyButton value={record.value}>
                          {({ copied, copy }) => (
                            <Button
                              size="compact-xs"
                              variant="default"
                              aria-label={`Copy the value of ${record.name}`}
                              onClick={copy}
                            >
                              {copied ? 'Copied' : 'Copy'}
                            </Button>
                          )}
                        </CopyButton>
                        <br />
                        <span className="secondary">{record.why}</span>
                      </>
                    ),
                  }))}
                />
              </Card>
            ))}
          </>
        )}
      </Ask>
      <Card title="Add a sender">
        <form
          className="row end"
          onSubmit={(event: FormEvent) => {
            event.preventDefault()
            create.mutate(
              { body: { name, address } },
              {
                onSuccess: () => {
                  setName('')
                  setAddress('')
                },
              },
            )
          }}
        >
          <TextInput
            className="grow"
            label="Name"
            placeholder="Lindqvist & Töchter"
            required
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value)
            }}
          />
          <TextInput
            className="grow"
            label="Address"
            type="email"
            placeholder="hello@news.example.com"
            required
            value={address}
            onChange={(event) => {
              setAddress(event.currentTarget.value)
            }}
          />
          <Button type="submit" loading={create.isPending}>
            Add it
          </Button>
        </form>
      </Card>
    </Page>
  )
}
