import { createContext, lazy, Suspense, useContext, useMemo, type ComponentType, type ReactNode } from 'react'
import { Loading } from './page.tsx'

/** What a module shows beside the objects of another one, which does not know it: the segments of a person. */
export interface PanelDefinition {
  /** The kind of object. */
  of: 'person'
  label: string
  load: () => Promise<ComponentType<{ id: string }>>
}

const Panels = createContext<readonly PanelDefinition[]>([])
export const PanelsProvider = Panels.Provider

/** The panels that other modules have for one object, by their labels. */
export function usePanels(of: PanelDefinition['of'], id: string): Record<string, ReactNode> {
  const all = useContext(Panels)
  const shown = useMemo(
    () =>
      all
        .filter((one) => one.of === of)
        .map(({ label, load }) => [label, lazy(async () => ({ default: await load() }))] as const),
    [all, of],
  )
  return Object.fromEntries(
    shown.map(([label, Shown]) => [
      label,
      <Suspense key={label} fallback={<Loading rows={3} />}>
        <Shown id={id} />
      </Suspense>,
    ]),
  )
}
