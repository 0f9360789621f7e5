import { Button, Modal } from '@mantine/core'
import { useState, type FormEvent, type ReactNode } from 'react'
import { useDeed, type Problem } from '../../../ui/api.ts'
import { routes } from '../contract.ts'
import { PasswordField } from './PasswordField.tsx'
import { StepUp } from './StepUp.tsx'

/** Refusals that a proof answers: a deed that uses this hook keeps quiet about them. */
export const proofs = ['step_up', 'password_again']

/** For deeds that need a fresh proof: shows the dialog that the refusal asks for, then does the deed again. */
export function useProof(): { orProve: (again: () => void) => (problem: Problem) => void; dialog: ReactNode } {
  const [asked, setAsked] = useState<{ code: string; again: () => void } | undefined>()
  const close = () => {
    setAsked(undefined)
  }
  const then = () => {
    close()
    asked?.again()
  }
  return {
    orProve: (again) => (problem) => {
      if (proofs.includes(problem.code)) setAsked({ code: problem.code, again })
    },
    dialog: (
      <>
        <StepUp open={asked?.code === 'step_up'} close={close} then={then} />
        <Modal opened={asked?.code === 'password_again'} onClose={close} title="Your password once more">
          {asked?.code === 'password_again' ? <PasswordAgain then={then} /> : null}
        </Modal>
      </>
    ),
  }
}

function PasswordAgain({ then }: { then: () => void }) {
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
