import { Button, SegmentedControl, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ask, useParam } from '../../../ui/page.tsx'
import { sideName } from '../../../ui/signal.tsx'
import { routes, type Me, type Side } from '../contract.ts'
import { AddFactor } from './AddFactor.tsx'
import { PasswordField } from './PasswordField.tsx'

/** A one-time link: the first administrator, or somebody who was invited. */
export function JoinPage() {
  const token = useParam('token')
  const link = useRoute(routes.link, { params: { token } })
  const navigate = useNavigate()
  const client = useQueryClient()
  const accept = useDeed(routes.accept, { touches: [] })
  const [joined, setJoined] = useState<Me | undefined>()
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [side, setSide] = useState<Side>('it')
  const [password, setPassword] = useState('')
  const go = () => {
    // Whoever was signed in here before is not, and the link is used up: nothing of either is asked again.
    client.clear()
    void navigate({ to: '/' })
  }
  if (joined !== undefined) return <Second you={joined} go={go} />
  return (
    <main className="signin">
      <div>
        <h1>{link.data?.kind === 'password' ? 'A new password' : 'Join Interlock'}</h1>
        <Ask of={link}>
          {(found) => (
            <form
              className="card stack"
              onSubmit={(event: FormEvent) => {
                event.preventDefault()
                accept.mutate(
                  {
                    params: { token },
                    body: {
                      ...(found.kind === 'password' ? {} : { name }),
                      password,
                      ...(found.email === null ? { email, side } : {}),
                    },
                  },
                  {
                    onSuccess(you) {
                      if (you.hasTotp || you.passkeys > 0) go()
                      else setJoined(you)
                    },
                  },
                )
              }}
            >
              <p>
                {found.kind === 'password'
                  ? `For ${found.email ?? ''}. Your sessions and API keys end; your passkeys and your authenticator stay.`
                  : found.kind === 'first'
                    ? 'You are the first. You become administrator and invite the others, of both sides.'
                    : `You were invited as ${found.email ?? ''}, of ${found.side === null ? 'one side' : sideName[found.side]}: ${found.roles.join(', ')}.`}
              </p>
              {found.kind === 'password' ? null : (
                <TextInput
                  label="Your name"
                  autoComplete="name"
                  required
                  value={name}
                  onChange={(event) => {
                    setName(event.currentTarget.value)
                  }}
                />
              )}
              {found.email === null ? (
                <>
                  <TextInput
                    label="E-mail"
                    type="email"
                    autoComplete="username"
                    required
                    value={email}
                    onChange={(event) => {
                      setEmail(event.currentTarget.value)
                    }}
                  />
                  <div>
                    <p className="secondary" id="side">
                      Your side. It belongs to the account and is never chosen at signing.
                    </p>
                    <SegmentedControl
                      aria-labelledby="side"
                      value={side}
                      onChange={(value) => {
                        setSide(value)
                      }}
                      data={[
                        { value: 'marketing', label: 'Marketing' },
                        { value: 'it', label: 'IT' },
                      ]}
                    />
                  </div>
                </>
              ) : null}
              <PasswordField kind="new" value={password} change={setPassword} />
              <div>
                <Button type="submit" loading={accept.isPending}>
                  {found.kind === 'password' ? 'Set it' : 'Join'}
                </Button>
              </div>
            </form>
          )}
        </Ask>
      </div>
    </main>
  )
}

/** The second step of joining: a second factor, while the password that it needs was typed a moment ago. */
function Second({ you, go }: { you: Me; go: () => void }) {
  const needed = you.permissions.some((one) => ['keys.give', 'keys.protect', 'admin'].includes(one))
  return (
    <main className="signin">
      <div>
        <h1>One more step, {you.name}</h1>
        <section className="card stack" aria-label="A second factor">
          <p>
            {needed
              ? 'Do this now: giving a key, inviting somebody and changing roles need a fresh proof that it is you, and the password is none. Without it you are asked at the worst moment.'
              : 'Your password signs you in. An API key, and one day a key of yours on a request, need a second proof that it is you. You can do this later in Settings.'}
          </p>
          <AddFactor then={go} />
          <div>
            <Button variant={needed ? 'subtle' : 'filled'} onClick={go}>
              {needed ? 'Later, and I will be asked then' : 'Later'}
            </Button>
          </div>
        </section>
      </div>
    </main>
  )
}
