import { useElementSize } from '@mantine/hooks'
import { count } from './format.tsx'

/** Until it is measured. */
const assumed = 640
/** No bar is wider than this: few bars are few bars, not slabs. */
const widest = 28

/** Bars over time, drawn as SVG, with the same figures as a table behind it. No legend: the label is on the chart. Empty steps keep their place. */
export function Bars(props: {
  label: string
  unit: string
  bars: readonly { label: string; value: number }[]
  height?: number
}) {
  const { bars, label, unit } = props
  // Drawn at the width that it has, so that its words are as large as all others.
  const { ref, width: measured } = useElementSize<HTMLElement>()
  const width = measured > 0 ? measured : assumed
  const height = props.height ?? 120
  const top = Math.max(0, ...bars.map((bar) => bar.value))
  if (top === 0)
    return (
      <figure className="chart" ref={ref}>
        <figcaption className="secondary">{label}</figcaption>
        <p className="none secondary">No {unit} yet.</p>
      </figure>
    )
  const step = width / bars.length
  const bar = Math.min(step * 0.7, widest)
  const first = bars.findIndex((one) => one.value === top)
  return (
    <figure className="chart" ref={ref}>
      <figcaption className="secondary">{label}</figcaption>
      <svg
        viewBox={`0 0 ${String(width)} ${String(height + 18)}`}
        role="img"
        aria-label={`${label}: at most ${count(top)} ${unit}, ${bars[first]?.label ?? ''}. The table below has every figure.`}
      >
        <line x1="0" x2={width} y1={height} y2={height} className="axis" />
        {bars.map((one, index) => {
          const tall = (one.value / top) * (height - 16)
          const middle = index * step + step / 2
          return (
            <g key={one.label}>
              <title>{`${one.label}: ${count(one.value)} ${unit}`}</title>
              <rect x={index * step} width={step} y={0} height={height} fill="transparent" />
              <rect
                x={middle - bar / 2}
                width={bar}
                y={height - tall}
                height={Math.max(tall, one.value > 0 ? 1 : 0)}
                rx="2"
                className="bar"
              />
              {index === first ? (
                <text
                  x={Math.min(Math.max(middle, 20), width - 20)}
                  y={height - tall - 4}
                  textAnchor="middle"
                  className="figure"
                >
                  {count(one.value)}
                </text>
              ) : null}
              {index === 0 || index === bars.length - 1 ? (
                <text
                  x={index === 0 ? 0 : width}
                  y={height + 14}
                  textAnchor={index === 0 ? 'start' : 'end'}
                  className="tick"
                >
                  {one.label}
                </text>
              ) : null}
            </g>
          )
        })}
      </svg>
      <details>
        <summary>As a table</summary>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
        <div tabIndex={0} role="region" aria-label={`${label}, as a table`}>
          <table>
            <tbody>
              {bars.map((one) => (
                <tr key={one.label}>
                  <th scope="row">{one.label}</th>
                  <td className="right">{count(one.value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  )
}

/** What a bar is made of, lowest first; at most five. */
export interface Part {
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
}) {
  const { label, unit, steps, parts, small } = props
  const { ref, width: measured } = useElementSize<HTMLElement>()
  const width = small === true ? 150 : measured > 0 ? measured : assumed
  const height = small === true ? 28 : 140
  const sums = steps.map((_none, at) => parts.reduce((sum, part) => sum + (part.values[at] ?? 0), 0))
  const top = Math.max(0, ...sums)
  const highest = sums.indexOf(top)
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
                const tall = value <= 0 ? 0 : Math.max((value / top) * room, 1)
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
              {small !== true && (at === 0 || at === steps.length - 1) ? (
                <text x={at === 0 ? 0 : width} y={height + 14} textAnchor={at === 0 ? 'start' : 'end'} className="tick">
                  {name}
                </text>
              ) : null}
            </g>
          )
        })}
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

/** A share as a thin bar beside its number. */
export function Share({ share }: { share: number }) {
  return (
    <span className="share" aria-hidden="true">
      <span style={{ width: `${String(Math.min(100, Math.max(0, share * 100)))}%` }} />
    </span>
  )
}
