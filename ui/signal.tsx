import { Tooltip } from '@mantine/core'

export type Lane = 'green' | 'amber' | 'red' | 'emergency'
const says: Record<Lane, string> = {
  green: 'Green: goes at once, without a key.',
  amber: 'Amber: keys of both sides, or with fewer than four people one and a day to cool off.',
  red: 'Red: what amber needs, and a key from data protection.',
  emergency: 'Emergency: at once, and looked at afterwards.',
}

const marks = ['red', 'amber', 'green'] as const
const litBy: Record<Lane, (typeof marks)[number]> = { red: 'red', emergency: 'red', amber: 'amber', green: 'green' }
const Marks = ({ lit }: { lit: string | undefined }) =>
  marks.map((mark) => <span key={mark} className={mark === lit ? `lit ${mark}` : ''} />)

/** The signal that something stands before: what is lit, and why, in words; nothing is lit where nothing can pass any more. */
export function Signal({ lane, means }: { lane: Lane | undefined; means?: string | undefined }) {
  return (
    <span
      className="lamp"
      role="img"
      aria-label={means ?? (lane === undefined ? 'Dark: nothing waits here any more.' : says[lane])}
    >
      <Marks lit={lane === undefined ? undefined : litBy[lane]} />
    </span>
  )
}

/** A lane and what a thing in it needs, as one sentence. */
export const laneNeeds = (lane: Lane, needs: string) => `${lane.charAt(0).toUpperCase()}${lane.slice(1)}: ${needs}.`

/** A lane by colour, by position and by word; `needs` is what the thing that stands there needs. */
export function Lamp({ lane, needs }: { lane: Lane; needs?: string | null }) {
  return (
    <Tooltip label={needs === undefined || needs === null ? says[lane] : laneNeeds(lane, needs)}>
      <span className="lane">
        <span className="lane-lamp" aria-hidden="true">
          <Marks lit={litBy[lane]} />
        </span>
        {lane}
      </span>
    </Tooltip>
  )
}

/** A word with a mark: how something stands, outside of the signal. */
export function Mark({ is, children }: { is: 'ok' | 'warn' | 'fail'; children?: React.ReactNode }) {
  const sign = { ok: '✓', warn: '!', fail: '✕' }[is]
  const word = { ok: 'in order: ', warn: 'look at this: ', fail: 'wrong: ' }[is]
  return (
    <span className={`mark ${is}`}>
      <span aria-hidden="true">{sign}</span>
      <span className="hidden">{word}</span> {children}
    </span>
  )
}

export type Side = 'marketing' | 'it'
export const sideName: Record<Side, string> = { marketing: 'Marketing', it: 'IT' }

/** Which side: always the same colour, always with the word. */
export function SideMark({ side, children }: { side: Side; children?: React.ReactNode }) {
  return <span className={`side ${side}`}>{children ?? sideName[side]}</span>
}

/** The first letters of a name, in the colour of the side; the name itself stands beside it. */
export function Avatar({ name, side }: { name: string; side: Side }) {
  const letters = name
    .split(/[\s-]+/)
    .map((word) => Array.from(word)[0] ?? '')
    .slice(0, 2)
    .join('')
    .toUpperCase()
  return (
    <span className={`avatar ${side}`} aria-hidden="true">
      {letters}
    </span>
  )
}

/** A personal field, tinted by how sensitive it is; the level in words on hover. */
export function FieldChip({ label, sensitivity }: { label: string; sensitivity: number }) {
  const words =
    ['not personal', 'pseudonymous', 'contact data', 'behaviour or purchases with contact data', 'specially protected'][
      sensitivity
    ] ?? ''
  return (
    <Tooltip label={`Sensitivity ${String(sensitivity)} of 4: ${words}`}>
      <span className={`chip s${String(sensitivity)}`}>{label}</span>
    </Tooltip>
  )
}
