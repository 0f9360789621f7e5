/** What goes wrong in the tracker is the tracker's: the page never hears of it. */
export const safely =
  <Words extends unknown[], Answer>(deed: (...words: Words) => Answer) =>
  (...words: Words): Answer | undefined => {
    try {
      return deed(...words)
    } catch (error) {
      console.warn('Interlock:', error)
      return undefined
    }
  }

/** What a text says, as JSON; undefined when it is none. */
export function read(text: string | undefined): unknown {
  try {
    return JSON.parse(text as string)
  } catch {
    return undefined
  }
}

/** Listens before the page's own listeners, to what happens to the window and in the document. */
export function on<Name extends keyof (WindowEventMap & DocumentEventMap)>(
  name: Name,
  listener: (event: (WindowEventMap & DocumentEventMap)[Name]) => void,
): void {
  addEventListener(name, safely(listener) as EventListener, true)
}
