import { Modal } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'

/** `g`, then one of these. */
const places: readonly [key: string, label: string, to: string][] = [
  ['n', 'Needs you', '/'],
  ['k', 'Cockpit', '/cockpit'],
  ['p', 'People', '/people'],
  ['s', 'Segments', '/segments'],
  ['o', 'Sources', '/sources'],
  ['c', 'Campaigns', '/campaigns'],
  ['m', 'Content', '/content'],
  ['i', 'Mail catcher', '/mail-catcher'],
  ['e', 'Reports', '/reports'],
  ['r', 'Requests', '/requests'],
  ['t', 'Tools', '/tools'],
  ['a', 'Audit', '/audit'],
  [',', 'Settings', '/settings'],
]
/** How long `g` waits for its letter. */
const patienceMs = 1_500

const typing = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target.closest('input, textarea, select, [role="combobox"], [role="dialog"], [role="menu"]') !== null)

/** The first link or button of each row, so that Enter does what a click on the row's name does. */
function stepThroughRows(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('#main .table tbody tr, #main .tasks li')]
    .map((row) => row.querySelector<HTMLElement>('a, button'))
    .filter((first) => first !== null)
  const at = rows.findIndex((first) => first.closest('tr, li')?.contains(document.activeElement) === true)
  rows[Math.min(Math.max(at + by, 0), rows.length - 1)]?.focus()
}

/** The keys of every page, and the sheet that says them. One-letter keys are silent where one types. */
export function Keys({
  open,
  setOpen,
  seek,
}: {
  open: boolean
  setOpen: (open: boolean) => void
  /** Opens the palette. */
  seek: () => void
}) {
  const navigate = useNavigate()
  useEffect(() => {
    let going = 0
    const pressed = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        seek()
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return
      if (going > 0 && event.timeStamp - going < patienceMs) {
        going = 0
        const place = places.find(([key]) => key === event.key)
        if (place === undefined) return
        event.preventDefault()
        void navigate({ to: place[2] })
        return
      }
      if (event.key === 'g') going = event.timeStamp
      else if (event.key === 'j') stepThroughRows(1)
      else if (event.key === 'k') stepThroughRows(-1)
      else if (event.key === '?') setOpen(true)
      else if (event.key === '/') {
        event.preventDefault()
        const search = document.querySelector<HTMLInputElement>('#main input[data-search]')
        if (search === null) seek()
        else search.focus()
      }
    }
    window.addEventListener('keydown', pressed)
    return () => {
      window.removeEventListener('keydown', pressed)
    }
  }, [navigate, setOpen, seek])
  return (
    <Modal
      opened={open}
      onClose={() => {
        setOpen(false)
      }}
      title="Keyboard shortcuts"
    >
      <dl className="facts">
        {[
          [['Ctrl', 'K'], 'Find a page, a deed, a person or a thing'],
          [['/'], 'Search this list, or everything where there is no list'],
          [['j'], 'Next row; Enter opens it'],
          [['k'], 'Row before'],
          [['?'], 'This sheet'],
          ...places.map(([key, label]): [string[], string] => [['g', key], label]),
        ].map(([keys, says]) => (
          <div key={String(says)}>
            <dt>
              {(keys as string[]).map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{says}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  )
}
