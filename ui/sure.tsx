import { Button, Modal } from '@mantine/core'
import { useId, useState, type ReactNode } from 'react'

/** A button for what cannot be undone: it says so and asks first. What can be undone acts at once and offers Undo instead. */
export function SureButton(props: {
  label: string
  /** What will be so afterwards, and what cannot be taken back. */
  says: ReactNode
  /** The deed in words, on the button that does it; `label` when it is the same. */
  act?: string
  onSure: () => void
  variant?: 'filled' | 'default'
  size?: 'sm' | 'compact-sm'
  disabled?: boolean
  /** Why it is off, in a sentence; it stands below the button, because a finger cannot hover. */
  title?: string | undefined
  loading?: boolean
}) {
  const [open, setOpen] = useState(false)
  const whyOff = useId()
  const off = props.disabled === true && props.title !== undefined
  const close = () => {
    setOpen(false)
  }
  return (
    <>
      <Button
        variant={props.variant ?? 'default'}
        size={props.size ?? 'sm'}
        disabled={props.disabled === true}
        title={off ? undefined : props.title}
        aria-describedby={off ? whyOff : undefined}
        loading={props.loading === true}
        onClick={() => {
          setOpen(true)
        }}
      >
        {props.label}
      </Button>
      {off ? (
        <p className="why-off" id={whyOff}>
          {props.title}
        </p>
      ) : null}
      <Modal opened={open} onClose={close} title={`${props.label}?`}>
        <div className="stack">
          <div>{props.says}</div>
          <div className="row">
            <Button
              data-autofocus
              onClick={() => {
                close()
                props.onSure()
              }}
            >
              {props.act ?? props.label}
            </Button>
            <Button variant="default" onClick={close}>
              Leave it as it is
            </Button>
          </div>
        </div>
      </Modal>
    </>
  )
}
