import { Button } from '@mantine/core'

/** A secret that was just made: the only time that it is shown. */
export function SecretNote({ secret, close }: { secret: string; close: () => void }) {
  return (
    <div className="stack">
      <p>
        Give this to whoever runs the receiver. It is shown this once and never again; with it they know that a request
        is yours.
      </p>
      <pre>
        <code>{secret}</code>
      </pre>
      <div className="row">
        <Button data-autofocus onClick={() => void navigator.clipboard.writeText(secret)}>
          Copy it
        </Button>
        <Button variant="default" onClick={close}>
          I have it
        </Button>
      </div>
    </div>
  )
}
