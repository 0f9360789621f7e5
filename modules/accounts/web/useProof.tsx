import { Modal } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import type { Problem } from '../../../ui/api.ts'
import { PasswordAgain } from './PasswordAgain.tsx'
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
