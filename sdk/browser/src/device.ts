import type { Choice } from './privacy.ts'

/** Every name on the device begins so; the cookie is `interlock_anonymous`. */
const prefix = 'interlock:'
const choiceName = 'consent'

/**
 * What is kept on the device: entries of localStorage under `interlock:`, and one cookie. While nothing may be stored, and where storage is full or
 * forbidden, entries are kept in the memory of the page instead.
 */
export interface Device {
  get(name: string): string | undefined
  /** Without a value it is removed. */
  set(name: string, value?: string): void
  /** Names that begin so, sorted. */
  names(begin: string): string[]
  /** Whether it outlives the page. */
  lasts(): boolean
  /** From now on entries are stored, those in memory too. */
  store(): void
  /** Removes everything but the answer, and from now on entries stay in memory. */
  wipe(): void
  /** What the person answered, which is stored whatever else is not. */
  choice(): Choice
  choose(choice: Choice): void
  visitor(): string | undefined
  setCookie(value: string): void
}

/** @param domain of the cookie; undefined for the host of the page alone */
export function openDevice(domain: string | undefined): Device {
  const memory = new Map<string, string>()
  let stores = false
  /**
   * One entry: reads it, writes it (text) or removes it (null). Access throws where a browser forbids it, and when it is full.
   * @returns the text that is there now; undefined when there is none
   */
  const disk = (name: string, value?: string | null): string | undefined => {
    try {
      if (value === null) localStorage.removeItem(prefix + name)
      else if (value !== undefined) localStorage.setItem(prefix + name, value)
      return localStorage.getItem(prefix + name) ?? undefined
    } catch {
      return undefined
    }
  }
  const diskNames = () => {
    try {
      return Object.keys(localStorage).flatMap((name) => name.split(prefix)[1] ?? [])
    } catch {
      return []
    }
  }
  const writeCookie = (value: string, seconds: number) => {
    document.cookie = `interlock_anonymous=${value};path=/;samesite=lax;max-age=${seconds}${location.protocol === 'https:' ? ';secure' : ''}${domain ? `;domain=${domain}` : ''}`
  }
  const device: Device = {
    get: (name) => memory.get(name) ?? (stores ? disk(name) : undefined),
    set(name, value) {
      memory.delete(name)
      const done = stores && disk(name, value ?? null) === value
      if (value && !done) memory.set(name, value)
    },
    names: (begin) =>
      [...memory.keys(), ...(stores ? diskNames() : [])].filter((name) => name.startsWith(begin)).sort(),
    lasts: () => stores && !memory.size,
    store() {
      stores = true
      // Of a copy, as each is removed from what is walked.
      ;[...memory].forEach(([name, value]) => {
        device.set(name, value)
      })
    },
    wipe() {
      stores = false
      memory.clear()
      for (const name of diskNames()) if (name !== choiceName) disk(name, null)
      if (device.visitor()) writeCookie('', 0)
    },
    choice: () => disk(choiceName) as Choice,
    choose(choice) {
      disk(choiceName, choice ?? null)
    },
    visitor: () => /interlock_anonymous=([\w-]{36})/.exec(document.cookie)?.[1],
    setCookie(value) {
      if (stores) writeCookie(value, 31_536_000)
    },
  }
  return device
}
