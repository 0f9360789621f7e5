import { count } from './format.tsx'

/** Bars over time, drawn as SVG; the same figures as a table for who does not see them. No legend: the label is on the chart. */
export function Bars(props: {
  label: string
  unit: string
  bars: readonly { label: string; value: number }[]
  height?: number
}) {
  const { bars, label, unit } = props
  const height = props.height ?? 120
  const most = Math.max(1, ...bars.map((bar) => bar.value))
  const width = 640
  const step = width / Math.max(1, bars.length)
  return (
    <figure className="chart">
      <figcaption className="secondary">{label}</figcaption>
      <svg
        viewBox={`0 0 ${String(width)} ${String(height + 18)}`}
        role="img"
        aria-label={`${label}: ${bars.map((bar) => `${bar.label} ${count(bar.value)}`).join(', ')}`}
      >
        <line x1="0" x2={width} y1={height} y2={height} className="axis" />
        {bars.map((bar, index) => {
          const tall = (bar.value / most) * (height - 16)
          return (
            <g key={bar.label}>
              <title>{`${bar.label}: ${count(bar.value)} ${unit}`}</title>
              <rect
                x={index * step + step * 0.15}
                width={step * 0.7}
                y={height - tall}
                height={Math.max(tall, bar.value > 0 ? 1 : 0)}
                rx="2"
                className="bar"
              />
              {bar.value === most ? (
                <text
                  x={Math.min(Math.max(index * step + step / 2, 20), width - 20)}
                  y={height - tall - 4}
                  textAnchor="middle"
                  className="figure"
                >
                  {count(bar.value)}
                </text>
              ) : null}
              {index === 0 || index === bars.length - 1 ? (
                <text
                  x={index === 0 ? 0 : width}
                  y={height + 14}
                  textAnchor={index === 0 ? 'start' : 'end'}
                  className="tick"
                >
                  {bar.label}
                </text>
              ) : null}
            </g>
          )
        })}
      </svg>
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
