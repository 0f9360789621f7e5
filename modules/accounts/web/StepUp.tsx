import { Button, Modal, TextInput } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import type { SentTo } from '../../../lib/routes/routes.ts'
import { call, Problem, useDeed, useRoute } from '../../../ui/api.ts'
import { Ask } from '../../../ui/page.tsx'
import { routes } from '../contract.ts'
import { PasswordField } from './PasswordField.tsx'
import { signWithPasskey } from './passkeys.ts'

type Body = NonNullable<SentTo<typeof routes.stepUp>['body']>

/** Asks for a fresh proof that it is you, then goes on with what wanted it. */
export function StepUp({ open, close, then }: { open: boolean; close: () => void; then: () => void }) {
  return (
    <Modal opened={open} onClose={close} title="Is it you?">
      {open ? (
        <Proof
          close={close}
          then={() => {
            close()
            then()
          }}
        />
      ) : null}
    </Modal>
  )
}

function Proof({ close, then }: { close: () => void; then: () => void }) {
  const me = useRoute(routes.me)
  const confirm = useDeed(routes.stepUp, { touches: ['/api/me'], quiet: ['wrong_credentials'] })
  const [code, setCode] = useState('')
  const [password, setPassword] = useState('')
  const [trouble, setTrouble] = useState('')
  const prove = (body: Body) => {
    setTrouble('')
    confirm.mutate({ body }, { onSuccess: then })
  }
  /** What the server said to the last proof, where that way of proving stands. */
  const wrong = (method: Body['method']) =>
    confirm.variables?.body?.method === method ? confirm.error?.message : undefined
  const passkeyTrouble = wrong('passkey') ?? trouble
  const usePasskey = async () => {
    setTrouble('')
    // A challenge holds for one try, and the newest alone counts: it is made when it is signed.
    const { passkey } = await call(routes.stepUpStart)
    if (passkey !== null) prove({ method: 'passkey', answer: await signWithPasskey(passkey) })
  }
  return (
    <Ask of={me}>
      {({ hasTotp, passkeys, demo }) => (
        <div className="stack">
          <p>This counts as yours alone, so it needs a proof that is at most five minutes old.</p>
          {passkeys === 0 ? null : (
            <Button
              data-autofocus
              onClick={() => {
                usePasskey().catch((error: unknown) => {
                  setTrouble(error instanceof Problem ? error.message : 'The passkey was not used. Try again.')
                })
              }}
            >
              Use your passkey
            </Button>
          )}
          {hasTotp ? (
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
                error={wrong('totp')}
              />
              <Button type="submit" loading={confirm.isPending}>
                Confirm
              </Button>
            </form>
          ) : null}
          {demo && passkeys === 0 && !hasTotp ? (
            <form
              className="row end"
              onSubmit={(event: FormEvent) => {
                event.preventDefault()
                prove({ method: 'password', password })
              }}
            >
              <PasswordField
                first
                label="Your password (in the demo company only)"
                value={password}
                change={setPassword}
                error={wrong('password')}
              />
              <Button type="submit" loading={confirm.isPending}>
                Confirm
              </Button>
            </form>
          ) : null}
          {!demo && passkeys === 0 && !hasTotp ? (
            <p>
              You have no passkey and no authenticator yet. Add one in{' '}
              <Link to="/settings" onClick={close}>
                Settings
              </Link>
              ; it takes a minute.
            </p>
          ) : null}
          {passkeyTrouble === '' ? null : <p role="alert">{passkeyTrouble}</p>}
        </div>
      )}
    </Ask>
  )
}
