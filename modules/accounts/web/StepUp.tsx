import { Button, Modal, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import type { SentTo } from '../../../lib/routes/routes.ts'
import { call, Problem, useDeed, useRoute } from '../../../ui/api.ts'
import { Ask } from '../../../ui/page.tsx'
import { routes } from '../contract.ts'
import { AddFactor } from './AddFactor.tsx'
import { PasswordField } from './PasswordField.tsx'
import { noPasskeysHere, passkeyTrouble as troubleOf, signWithPasskey } from './passkeys.ts'

type Body = NonNullable<SentTo<typeof routes.stepUp>['body']>

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
  const me = useRoute(routes.me)
  const demoCompany = useRoute(routes.demoAccounts, {}, { enabled: me.data?.demo === true })
  const confirm = useDeed(routes.stepUp, { touches: ['/api/me'], quiet: ['wrong_credentials'] })
  const [code, setCode] = useState('')
  const [password, setPassword] = useState('')
  const [trouble, setTrouble] = useState('')
  const notHere = noPasskeysHere(location)
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
              disabled={notHere !== undefined}
              onClick={() => {
                usePasskey().catch((error: unknown) => {
                  setTrouble(error instanceof Problem ? error.message : troubleOf(error))
                })
              }}
            >
              Use your passkey
            </Button>
          )}
          {passkeys === 0 || notHere === undefined ? null : (
            <p className="secondary">
              {notHere.says}{' '}
              {notHere.href === undefined ? null : <a href={notHere.href}>Open this page under localhost</a>}
            </p>
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
                label={`Your password (in the demo company “${demoCompany.data?.password ?? '…'}” is everybody’s)`}
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
            <>
              <p>
                You have no passkey and no authenticator yet. Set one up here; it takes a minute, and what you were
                about to do goes on after it.
              </p>
              <AddFactor then={then} />
            </>
          ) : null}
          {passkeyTrouble === '' ? null : <p role="alert">{passkeyTrouble}</p>}
        </div>
      )}
    </Ask>
  )
}
