import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Setting, Settings } from '../contract.ts'
import type { DestinationKind } from './kinds/kind.ts'

/**
 * Settings as a form of this kind takes them, and the secrets among them apart. A secret that is left out or empty is not mentioned.
 * @throws Refusal('bad_input') that names what is wrong
 */
export function readSettings(
  kind: DestinationKind,
  given: Settings,
): { settings: Settings; secrets: Map<string, string> } {
  const settings: Settings = {}
  const secrets = new Map<string, string>()
  const known = new Set(kind.form.map((setting) => setting.name))
  const stray = Object.keys(given).find((name) => !known.has(name))
  if (stray !== undefined) throw new Refusal('bad_input', `“${kind.name}” has no setting “${stray}”.`)
  for (const setting of kind.form) {
    const value = given[setting.name]
    if (setting.type === 'secret') {
      if (value !== undefined && value !== '') secrets.set(setting.name, String(value))
      continue
    }
    const read = readOne(setting, value)
    if (read === undefined) {
      if (setting.required) throw new Refusal('bad_input', `“${setting.label}” is missing.`)
    } else settings[setting.name] = read
  }
  return { settings, secrets }
}

function readOne(
  setting: Setting,
  value: string | number | boolean | undefined,
): string | number | boolean | undefined {
  const given = value === undefined || value === '' ? setting.start : value
  if (given === undefined) return undefined
  switch (setting.type) {
    case 'check':
      if (typeof given !== 'boolean') throw new Refusal('bad_input', `“${setting.label}” is true or false.`)
      return given
    case 'number': {
      const number = Number(given)
      if (!Number.isFinite(number)) throw new Refusal('bad_input', `“${setting.label}” is a number.`)
      return number
    }
    case 'choice': {
      const choice = setting.choices?.find((one) => one.value === String(given))
      if (choice === undefined)
        throw new Refusal(
          'bad_input',
          `“${setting.label}” is one of ${(setting.choices ?? []).map((one) => one.value).join(', ')}.`,
        )
      return choice.value
    }
    default: {
      const text = String(given).trim()
      return text === '' ? undefined : text
    }
  }
}
