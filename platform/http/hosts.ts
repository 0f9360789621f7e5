import { isIP } from 'node:net'

/** The name in a Host header: without the port, in lower case, IPv6 without brackets. */
function nameIn(host: string): string {
  const name = /^\[([^\]]*)\](?::\d+)?$/.exec(host)?.[1] ?? /^([^:]*)(?::\d+)?$/.exec(host)?.[1] ?? ''
  return name.toLowerCase().replace(/[.]$/, '')
}

/**
 * Whether this server goes by the name that a browser asked for. A page elsewhere can let its own name point here (DNS rebinding) and would then
 * be of the same origin; an address made of numbers cannot be pointed anywhere, so it passes.
 * @param names the host of the public URL and whatever else is configured
 */
export function goesBy(host: string | undefined, names: readonly string[]): boolean {
  const name = nameIn(host ?? '')
  return name === 'localhost' || isIP(name) !== 0 || names.some((known) => nameIn(known) === name && name !== '')
}
