import { Button, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { call, Problem, useDeed } from '../../../ui/api.ts'
import { routes } from '../contract.ts'
import { makePasskey, noPasskeysHere, passkeyTrouble } from './passkeys.ts'
import { PasswordAgain } from './PasswordAgain.tsx'

const done = (what: string) => `${what} Your other sessions and your API keys ended.`
const touches = ['/api/me', '/api/api-keys', '/api/people-here']

/**
 * Sets up an authenticator or adds a passkey, where it stands: what one was about to do stays as it is.
 * @param refused asks for the proof that a further factor needs, then does it again; without it the password is asked for in place, which is all
 *   that a first factor needs
 * @param then once there is one more
 */
export function AddFactor(props: {
  hasTotp?: boolean
  then?: () => void
  refused?: (again: () => void) => (problem: Problem) => void
}) {
  const { hasTotp = false, then, refused } = props
  const [secret, setSecret] = useState<{ qr: string; secret: string } | undefined>()
  const [again, setAgain] = useState<{ deed: () => void } | undefined>()
  const [code, setCode] = useState('')
  const [trouble, setTrouble] = useState('')
  const start = useDeed(routes.totpStart, { touches: [], quiet: ['step_up', 'password_again'] })
  const confirm = useDeed(routes.totpConfirm, { touches, done: done('Your authenticator is set up.') })
  const passkey = useDeed(routes.passkeyConfirm, { touches, done: done('Your passkey is added.') })
  const answer = (deed: () => void) => (problem: Problem) => {
    if (refused !== undefined) refused(deed)(problem)
    else if (problem.code === 'password_again') setAgain({ deed })
    else setTrouble(problem.message)
  }
  const begin = () => {
    setTrouble('')
    start.mutate({}, { onSuccess: setSecret, onError: answer(begin) })
  }
  const add = () => {
    setTrouble('')
    call(routes.passkeyStart)
      .then(makePasskey)
      .then((body) => {
        passkey.mutate({ body }, { onSuccess: () => then?.() })
      })
      .catch((error: unknown) => {
        if (error instanceof Problem) answer(add)(error)
        else setTrouble(passkeyTrouble(error))
      })
  }
  const notHere = noPasskeysHere(location)
  if (again !== undefined)
    return (
      <PasswordAgain
        then={() => {
          setAgain(undefined)
          again.deed()
        }}
      />
    )
  if (secret !== undefined)
    return (
      <form
        className="stack"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          confirm.mutate(
            { body: { code } },
            {
              onSuccess() {
                setSecret(undefined)
                setCode('')
                then?.()
              },
            },
          )
        }}
      >
        <p>Scan this with your authenticator app, or type the secret, then enter the six digits that it shows.</p>
        <img src={secret.qr} alt="QR code with the secret below" width="220" height="220" />
        <code style={{ overflowWrap: 'anywhere' }}>{secret.secret}</code>
        <TextInput
          label="Code"
          inputMode="numeric"
          autoComplete="one-time-code"
          pattern="[0-9]{6}"
          required
          data-autofocus
          value={code}
          onChange={(event) => {
            setCode(event.currentTarget.value)
          }}
          error={confirm.error?.message}
        />
        <div className="row">
          <Button type="submit" loading={confirm.isPending}>
            Confirm
          </Button>
          <Button
            variant="default"
            onClick={() => {
              setSecret(undefined)
            }}
          >
            Back
          </Button>
        </div>
      </form>
    )
  return (
    <div className="stack">
      <div className="row">
        <Button variant="default" loading={start.isPending} onClick={begin}>
          {hasTotp ? 'Set up the authenticator anew' : 'Set up an authenticator'}
        </Button>
        <Button
          variant="default"
          disabled={notHere !== undefined}
          aria-describedby={notHere === undefined ? undefined : 'no-passkeys'}
          loading={passkey.isPending}
          onClick={add}
        >
          Add a passkey
        </Button>
      </div>
      {notHere === undefined ? null : (
        <p className="secondary" id="no-passkeys">
          {notHere.says} {notHere.href === undefined ? null : <a href={notHere.href}>Open this page under localhost</a>}
        </p>
      )}
      {trouble === '' ? null : <p role="alert">{trouble}</p>}
    </div>
  )
}
