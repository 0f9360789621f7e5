import { Button, Modal, PasswordInput, TextInput } from '@mantine/core'
import { startAuthentication } from '@simplewebauthn/browser'
import { useState, type FormEvent } from 'react'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ask } from '../../../ui/page.tsx'
import { routes } from '../contract.ts'

/** Asks for a fresh proof that it is you, then goes on with what wanted it. */
export function StepUp({ open, close, then }: { open: boolean; close: () => void; then: () => void }) {
  return (
    <Modal opened={open} onClose={close} title="Is it you?">
      {open ? (
        <Proof
          then={() => {
            close()
            then()
          }}
        />
      ) : null}
    </Modal>
  )
}

function Proof({ then }: { then: () => void }) {
  const ways = useRoute(routes.stepUpStart)
  const confirm = useDeed(routes.stepUp, { touches: ['/api/me'], quiet: ['wrong_credentials'] })
  const [code, setCode] = useState('')
  const [password, setPassword] = useState('')
  const [trouble, setTrouble] = useState('')
  const prove = (body: Parameters<typeof confirm.mutate>[0]['body']) => {
    confirm.mutate({ body: body as never }, { onSuccess: then })
  }
  return (
    <Ask of={ways}>
      {(way) => (
        <div className="stack">
          <p>This counts as yours alone, so it needs a proof that is at most five minutes old.</p>
          {way.passkey === null ? null : (
            <Button
              data-autofocus
              onClick={() => {
                setTrouble('')
                startAuthentication({ optionsJSON: way.passkey as never })
                  .then((answer) => {
                    prove({ method: 'passkey', answer: answer as unknown as Record<string, unknown> })
                  })
                  .catch(() => {
                    setTrouble('The passkey was not used. Try again, or use a code.')
                  })
              }}
            >
              Use your passkey
            </Button>
          )}
          {way.totp ? (
            <form
              className="row end"
              onSubmit={(event: FormEvent) => {
                event.preventDefault()
                prove({ method: 'totp', code })
              }}
            >
              <TextInput
                className="grow"
                label="Code from your authenticator"
                inputMode="numeric"
                autoComplete="one-time-code"
                pattern="[0-9]{6}"
                required
                value={code}
                onChange={(event) => {
                  setCode(event.currentTarget.value)
                }}
                error={confirm.error?.message}
              />
              <Button type="submit" loading={confirm.isPending}>
                Confirm
              </Button>
            </form>
          ) : null}
          {way.password ? (
            <form
              className="row end"
              onSubmit={(event: FormEvent) => {
                event.preventDefault()
                prove({ method: 'password', password })
              }}
            >
              <PasswordInput
                className="grow"
                data-autofocus
                label="Your password (in the demo company only)"
                autoComplete="current-password"
                required
                value={password}
                onChange={(event) => {
                  setPassword(event.currentTarget.value)
                }}
                error={confirm.error?.message}
                visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
              />
              <Button type="submit" loading={confirm.isPending}>
                Confirm
              </Button>
            </form>
          ) : null}
          {way.passkey === null && !way.totp && !way.password ? (
            <p>
              You have no passkey and no authenticator yet. Add one in <a href="/settings">Settings</a>; it takes a
              minute.
            </p>
          ) : null}
          {trouble === '' ? null : <p role="alert">{trouble}</p>}
        </div>
      )}
    </Ask>
  )
}
