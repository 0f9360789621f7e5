import { Button, Checkbox, Modal, NumberInput, TextInput } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ago } from '../../../ui/format.tsx'
import { Ask, Card, Facts, Page, Table } from '../../../ui/page.tsx'
import { sideName, SideMark } from '../../../ui/signal.tsx'
import { SureButton } from '../../../ui/sure.tsx'
import { keyScopes, routes, type KeyScope, type Me } from '../contract.ts'
import { AddFactor } from './AddFactor.tsx'
import { PasswordField } from './PasswordField.tsx'
import { proofs, useProof } from './useProof.tsx'

export function SettingsPage() {
  const me = useRoute(routes.me)
  return (
    <Page title="Settings" sub="Your account, and what everybody here shares.">
      <div className="row">
        <Link to="/settings/people">People who work here</Link>·
        <Link to="/settings/senders">Senders and the mail route</Link>·
        <Link to="/settings/topics">Topics people subscribe to</Link>·<a href="/api/docs">API</a>
      </div>
      <Ask of={me}>
        {(you) => (
          <>
            <div className="cards">
              <Card title="You">
                <Facts
                  rows={[
                    { label: 'Name', says: you.name },
                    { label: 'E-mail', says: you.email },
                    {
                      label: 'Side',
                      says: (
                        <>
                          <SideMark side={you.side} />{' '}
                          <span className="secondary">belongs to the account; only an administrator changes it</span>
                        </>
                      ),
                    },
                    { label: 'Roles', says: you.roles.join(', ') },
                  ]}
                />
              </Card>
              <Factors you={you} />
              <Password />
            </div>
            <ApiKeys you={you} />
          </>
        )}
      </Ask>
    </Page>
  )
}

function Factors({ you }: { you: Me }) {
  const proof = useProof()
  return (
    <Card title="Proof that it is you" aside="asked for before a key, and again after five minutes">
      <div className="stack">
        <Facts
          rows={[
            { label: 'Passkeys', says: you.passkeys === 0 ? 'none yet' : String(you.passkeys) },
            { label: 'Authenticator', says: you.hasTotp ? 'set up' : 'none yet' },
          ]}
        />
        <AddFactor hasTotp={you.hasTotp} refused={proof.orProve} />
        {proof.dialog}
        {you.demo && you.passkeys === 0 && !you.hasTotp ? (
          <p className="secondary">In the demo company the password is enough until you add one.</p>
        ) : null}
      </div>
    </Card>
  )
}

function Password() {
  const [old, setOld] = useState('')
  const [next, setNext] = useState('')
  const change = useDeed(routes.password, {
    touches: ['/api/me', '/api/api-keys'],
    done: 'Your password is changed. Your other sessions and your API keys ended.',
  })
  return (
    <Card title="Password" aside="changing it ends your other sessions and your API keys">
      <form
        className="stack"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          change.mutate(
            { body: { old, new: next } },
            {
              onSuccess: () => {
                setOld('')
                setNext('')
              },
            },
          )
        }}
      >
        <PasswordField label="Old" value={old} change={setOld} />
        <PasswordField label="New" kind="new" value={next} change={setNext} />
        <div>
          <Button type="submit" variant="default" loading={change.isPending}>
            Change it
          </Button>
        </div>
      </form>
    </Card>
  )
}

function ApiKeys({ you }: { you: Me }) {
  const keys = useRoute(routes.apiKeys)
  const [open, setOpen] = useState(false)
  const [name, setName] = useState('')
  const [days, setDays] = useState<number | string>(90)
  const [scopes, setScopes] = useState<string[]>(['data.read'])
  const [made, setMade] = useState<string | undefined>()
  const proof = useProof()
  const make = useDeed(routes.makeApiKey, { touches: ['/api/api-keys'], quiet: proofs })
  const makeIt = () => {
    make.mutate(
      { body: { name, scopes: scopes as KeyScope[], days: Number(days) } },
      {
        onSuccess: (reply) => {
          setMade(reply.key)
        },
        onError: proof.orProve(makeIt),
      },
    )
  }
  const revoke = useDeed(routes.revokeApiKey, {
    touches: ['/api/api-keys'],
    done: 'The key is revoked; nothing uses it any more.',
  })
  const possible = keyScopes.filter((scope) => you.permissions.includes(scope))
  return (
    <Card
      title="API keys"
      aside={
        <Button
          variant="default"
          size="xs"
          onClick={() => {
            setOpen(true)
            setMade(undefined)
          }}
        >
          Make a key
        </Button>
      }
    >
      <Ask of={keys}>
        {(rows) =>
          rows.length === 0 ? (
            <p className="secondary">
              None yet. A program that reads or writes here in your name needs one; it can do at most what you can,
              never sign and never administer.
            </p>
          ) : (
            <Table label="API keys" head={['Name', 'Begins with', 'May', 'Last used', 'Ends', '']}>
              {rows.map((row) => (
                <tr key={row.id}>
                  <td>{row.name}</td>
                  <td>
                    <code>{row.prefix}…</code>
                  </td>
                  <td>{row.scopes.join(', ')}</td>
                  <td>
                    <Ago at={row.lastUsedAt} />
                  </td>
                  <td>
                    {row.revokedAt === null ? row.expiresAt === null ? 'never' : <Ago at={row.expiresAt} /> : 'revoked'}
                  </td>
                  <td>
                    {row.revokedAt === null ? (
                      <SureButton
                        label="Revoke"
                        size="compact-sm"
                        says={`Whatever uses “${row.name}” stops at once, and the key cannot be brought back; another can be made.`}
                        onSure={() => {
                          revoke.mutate({ params: { id: row.id } })
                        }}
                      />
                    ) : null}
                  </td>
                </tr>
              ))}
            </Table>
          )
        }
      </Ask>
      {proof.dialog}
      <Modal
        opened={open}
        onClose={() => {
          setOpen(false)
        }}
        title="Make an API key"
      >
        {made === undefined ? (
          <form
            className="stack"
            onSubmit={(event: FormEvent) => {
              event.preventDefault()
              makeIt()
            }}
          >
            <TextInput
              label="What is it for?"
              required
              value={name}
              onChange={(event) => {
                setName(event.currentTarget.value)
              }}
            />
            <NumberInput label="Days until it ends" min={1} max={730} value={days} onChange={setDays} />
            <Checkbox.Group label="What it may do" value={scopes} onChange={setScopes}>
              <div className="stack" style={{ gap: 6, marginTop: 6 }}>
                {possible.map((permission) => (
                  <Checkbox key={permission} value={permission} label={permission} />
                ))}
              </div>
            </Checkbox.Group>
            <Button type="submit" loading={make.isPending}>
              Make it
            </Button>
          </form>
        ) : (
          <div className="stack">
            <p>Copy it now: it is shown this once and kept only as a hash.</p>
            <code>{made}</code>
            <Button onClick={() => void navigator.clipboard.writeText(made)}>Copy</Button>
          </div>
        )}
      </Modal>
      <p className="hidden">You are of {sideName[you.side]}.</p>
    </Card>
  )
}
