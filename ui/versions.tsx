import { Ago } from './format.tsx'

/** The versions of a thing, newest first: what each says, who made it and when. */
export function Versions({ rows }: { rows: readonly { version: number; says: string; by: string; at: string }[] }) {
  return (
    <ul className="history">
      {rows.map((row) => (
        <li key={row.version}>
          <b>v{row.version}</b> {row.says}
          <br />
          <span className="secondary">
            {row.by}, <Ago at={row.at} />
          </span>
        </li>
      ))}
    </ul>
  )
}
