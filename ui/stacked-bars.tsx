import { useElementSize } from '@mantine/hooks'
import { assumed, widest } from './chart.tsx'
import { count } from './format.tsx'

/** What a bar is made of, lowest first; at most five. */
interface Part {
  label: string
  values: readonly number[]
}

/** Bars over time whose parts add up to what came, with their words and every figure in a table. `small` draws the bars alone, for a row of a table. */
export function StackedBars(props: {
  label: string
  unit: string
  steps: readonly string[]
  parts: readonly Part[]
  small?: boolean
  /** A line across, with its words on it, such as what can be at most. */
  limit?: { value: number; label: string }
  /** What stands below a step, such as the day that begins with it; the first and the last step when it is not said. */
  marks?: ReadonlyMap<number, string>
}) {
  const { label, unit, steps, parts, small, limit, marks } = props
  const { ref, width: measured } = useElementSize<HTMLElement>()
  const width = small === true ? 150 : measured > 0 ? measured : assumed
  const height = small === true ? 28 : 140
  const sums = steps.map((_none, at) => parts.reduce((sum, part) => sum + (part.values[at] ?? 0), 0))
  const top = Math.max(0, ...sums)
  const highest = sums.indexOf(top)
  const scale = Math.max(top, limit?.value ?? 0)
  const step = width / Math.max(1, steps.length)
  const bar = Math.min(step * 0.8, widest)
  const room = small === true ? height : height - 16
  if (top === 0)
    return small === true ? (
      <span className="secondary">none</span>
    ) : (
      <figure className="chart" ref={ref}>
        <figcaption className="secondary">{label}</figcaption>
        <p className="none secondary">No {unit} in this time.</p>
      </figure>
    )
  return (
    <figure className={small === true ? 'chart small' : 'chart'} ref={ref}>
      {small === true ? null : <figcaption className="secondary">{label}</figcaption>}
      <svg
        viewBox={`0 0 ${String(width)} ${String(small === true ? height : height + 18)}`}
        role="img"
        aria-label={`${label}: at most ${count(top)} ${unit}, ${steps[highest] ?? ''}.`}
      >
        <line x1="0" x2={width} y1={height} y2={height} className="axis" />
        {steps.map((name, at) => {
          const left = at * step + (step - bar) / 2
          let y = height
          return (
            <g key={name}>
              <title>{`${name}: ${parts
                .filter((part) => (part.values[at] ?? 0) > 0)
                .map((part) => `${count(part.values[at] ?? 0)} ${part.label}`)
                .join(', ')}`}</title>
              <rect x={at * step} width={step} y={0} height={height} fill="transparent" />
              {parts.map((part, index) => {
                const value = part.values[at] ?? 0
                // What is there can be seen, however little it is.
                const tall = value <= 0 ? 0 : Math.max((value / scale) * room, 1)
                y -= tall
                return tall === 0 ? null : (
                  <rect
                    key={part.label}
                    x={left}
                    width={bar}
                    y={y}
                    height={tall}
                    className={`part-${String(index + 1)}`}
                  />
                )
              })}
              {small !== true && at === highest ? (
                <text
                  x={Math.min(Math.max(left + bar / 2, 20), width - 20)}
                  y={y - 4}
                  textAnchor="middle"
                  className="figure"
                >
                  {count(top)}
                </text>
              ) : null}
              {marks?.has(at) === true ? (
                <text x={at * step} y={height + 14} className="tick">
                  {marks.get(at)}
                </text>
              ) : null}
              {small !== true && marks === undefined && (at === 0 || at === steps.length - 1) ? (
                <text x={at === 0 ? 0 : width} y={height + 14} textAnchor={at === 0 ? 'start' : 'end'} className="tick">
                  {name}
                </text>
              ) : null}
            </g>
          )
        })}
        {limit === undefined ? null : <Limit {...limit} y={height - (limit.value / scale) * room} width={width} />}
      </svg>
      {small === true ? null : (
        <>
          <div className="legend">
            {parts.map((part, index) => (
              <span key={part.label}>
                <span className={`part-${String(index + 1)}`} aria-hidden="true" />
                {part.label}
              </span>
            ))}
          </div>
          <details>
            <summary>As a table</summary>
            {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
            <div tabIndex={0} role="region" aria-label={`${label}, as a table`}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">When</th>
                    {parts.map((part) => (
                      <th scope="col" key={part.label} className="right">
                        {part.label}
                      </th>
                    ))}
                    <th scope="col" className="right">
                      in all
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {steps.map((name, at) => (
                    <tr key={name}>
                      <th scope="row">{name}</th>
                      {parts.map((part) => (
                        <td key={part.label} className="right">
                          {count(part.values[at] ?? 0)}
                        </td>
                      ))}
                      <td className="right">{count(sums[at] ?? 0)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        </>
      )}
    </figure>
  )
}

function Limit({ label, y, width }: { label: string; y: number; width: number }) {
  return (
    <g>
      <line x1="0" x2={width} y1={y} y2={y} className="limit" />
      <text x={width} y={y - 4} textAnchor="end" className="figure limit-label">
        {label}
      </text>
    </g>
  )
}
