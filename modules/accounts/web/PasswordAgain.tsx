import { Button } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { useDeed } from '../../../ui/api.ts'
import { routes } from '../contract.ts'
import { PasswordField } from './PasswordField.tsx'

/** The password once more, which a first second factor needs. */
export function PasswordAgain({ then }: { then: () => void }) {
  const prove = useDeed(routes.provePassword, { touches: [], quiet: ['wrong_credentials'] })
  const [password, setPassword] = useState('')
  return (
    <form
      className="stack"
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        prove.mutate({ body: { password } }, { onSuccess: then })
      }}
    >
      <p>A first passkey or authenticator is set up only by whoever knows the password.</p>
      <PasswordField first value={password} change={setPassword} error={prove.error?.message} />
      <Button type="submit" loading={prove.isPending}>
        Go on
      </Button>
    </form>
  )
}
