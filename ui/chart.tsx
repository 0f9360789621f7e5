import { useElementSize } from '@mantine/hooks'
import { count } from './format.tsx'

/** Until it is measured. */
export const assumed = 640
/** No bar is wider than this: few bars are few bars, not slabs. */
export const widest = 28

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

/** A share as a thin bar beside its number. */
export function Share({ share }: { share: number }) {
  return (
    <span className="share" aria-hidden="true">
      <span style={{ width: `${String(Math.min(100, Math.max(0, share * 100)))}%` }} />
    </span>
  )
}
