import { Checkbox, NumberInput, PasswordInput, Select, TextInput } from '@mantine/core'
import type { Kind, Settings } from '../contract.ts'

/** What stands in a form of this kind before anybody typed. */
export const startOf = (kind: Kind): Settings =>
  Object.fromEntries(
    kind.form.flatMap((setting) => (setting.start === undefined ? [] : [[setting.name, setting.start]])),
  )

/** The settings of a kind, drawn from its description. A secret that is set is never shown: left empty it stays. */
export function SettingsForm({
  kind,
  values,
  set,
  held = [],
}: {
  kind: Kind
  values: Settings
  set: (values: Settings) => void
  /** Secrets that are set already. */
  held?: readonly string[]
}) {
  const put = (name: string, value: string | number | boolean) => {
    set({ ...values, [name]: value })
  }
  return (
    <>
      {kind.form.map((setting) => {
        const value = values[setting.name]
        const common = {
          label: setting.label,
          ...(setting.says === '' ? {} : { description: setting.says }),
          required: setting.required && !held.includes(setting.name),
        }
        switch (setting.type) {
          case 'check':
            return (
              <Checkbox
                key={setting.name}
                label={setting.label}
                description={setting.says}
                checked={value === true}
                onChange={(event) => {
                  put(setting.name, event.currentTarget.checked)
                }}
              />
            )
          case 'number':
            return (
              <NumberInput
                key={setting.name}
                {...common}
                value={typeof value === 'number' ? value : ''}
                allowDecimal={false}
                onChange={(next) => {
                  put(setting.name, next)
                }}
              />
            )
          case 'choice':
            return (
              <Select
                key={setting.name}
                {...common}
                data={setting.choices ?? []}
                value={typeof value === 'string' ? value : null}
                allowDeselect={false}
                onChange={(next) => {
                  if (next !== null) put(setting.name, next)
                }}
              />
            )
          case 'secret':
            return (
              <PasswordInput
                key={setting.name}
                {...common}
                autoComplete="new-password"
                placeholder={held.includes(setting.name) ? 'set; leave empty to keep it' : ''}
                value={typeof value === 'string' ? value : ''}
                onChange={(event) => {
                  put(setting.name, event.currentTarget.value)
                }}
              />
            )
          default:
            return (
              <TextInput
                key={setting.name}
                {...common}
                {...(setting.type === 'url' ? { type: 'url', placeholder: 'https://' } : {})}
                value={typeof value === 'string' ? value : ''}
                onChange={(event) => {
                  put(setting.name, event.currentTarget.value)
                }}
              />
            )
        }
      })}
    </>
  )
}
