import { PasswordInput } from '@mantine/core'

/** A password as it is typed, hidden until its eye is pressed. A new one says what it must be. */
export function PasswordField(props: {
  value: string
  change: (password: string) => void
  label?: string
  kind?: 'current' | 'new'
  error?: string | undefined
  /** The first thing one types where it stands. */
  first?: boolean
}) {
  const { value, change, label = 'Password', kind = 'current', error, first = false } = props
  return (
    <PasswordInput
      className="grow"
      label={label}
      autoComplete={`${kind}-password`}
      required
      value={value}
      error={error}
      onChange={(event) => {
        change(event.currentTarget.value)
      }}
      visibilityToggleButtonProps={{ 'aria-label': `Show the ${kind} password` }}
      {...(kind === 'new' ? { description: 'At least 10 characters.', minLength: 10 } : {})}
      {...(first ? { 'data-autofocus': true } : {})}
    />
  )
}
