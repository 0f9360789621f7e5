import { Button, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useState, type FormEvent } from 'react'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Avatar, sideName } from '../../../ui/signal.tsx'
import { routes } from '../contract.ts'
import { PasswordField } from './PasswordField.tsx'

/** Only a path of our own: a link that leads elsewhere after signing in would be a trap. */
const ownPath = (next: unknown) => (typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : '/')

export function SignInPage() {
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const navigate = useNavigate()
  const client = useQueryClient()
  const search: Record<string, unknown> = useSearch({ strict: false })
  const demo = useRoute(routes.demoAccounts)
  const signIn = useDeed(routes.signIn, { touches: [], quiet: ['wrong_credentials'] })
  useEffect(() => {
    document.title = 'Sign in · Interlock'
  }, [])
  const enter = (body: { email: string; password: string }) => {
    signIn.mutate(
      { body },
      {
        onSuccess() {
          client.clear()
          void navigate({ to: ownPath(search['next']) })
        },
      },
    )
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    enter({ email, password })
  }
  const colleagues = demo.data?.accounts ?? []
  return (
    <main className={`signin ${colleagues.length > 0 ? 'wide' : ''}`}>
      <div>
        <div className="row">
          <img src="/mark.svg" alt="" width="32" height="32" />
          <h1>Interlock</h1>
        </div>
        <p className="sentence">Where Marketing and IT agree, and what they agreed is what runs.</p>
        <form className="card stack" onSubmit={submit}>
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
          <PasswordField value={password} change={setPassword} error={signIn.error?.message} />
          <div>
            <Button type="submit" loading={signIn.isPending}>
              Sign in
            </Button>
          </div>
        </form>
        {demo.data === null || demo.data === undefined ? null : (
          <section className="stack" aria-label="The demo company">
            <p>
              This is the demo company. Sign in as anyone with one click; everybody’s password is{' '}
              <code>{demo.data.password}</code>.
            </p>
            <ul className="colleagues">
              {colleagues.map((person) => (
                <li key={person.email}>
                  <button
                    type="button"
                    onClick={() => {
                      enter({ email: person.email, password: demo.data?.password ?? '' })
                    }}
                  >
                    <Avatar name={person.name} side={person.side} />
                    <span>
                      <b>{person.name}</b>
                      <br />
                      <span className="secondary">
                        {sideName[person.side]}, {person.title}
                      </span>
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        )}
      </div>
    </main>
  )
}
