import { Link } from '@tanstack/react-router'
import { useRoute } from '../../../ui/api.ts'
import { Ago } from '../../../ui/format.tsx'
import { Ask } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes } from '../contract.ts'

/** The segments, and whether one person is in each. */
export function SegmentsOf({ id }: { id: string }) {
  const found = useRoute(routes.ofPerson, { params: { id } })
  return (
    <Ask of={found}>
      {(all) =>
        all.length === 0 ? (
          <p className="secondary">
            There is no segment yet. <Link to="/segments/new">Make the first</Link>
          </p>
        ) : (
          <ul className="history">
            {all.map((one) => (
              <li key={one.id}>
                <Link to={`/segments/${one.id}`}>{one.name}</Link>{' '}
                {one.inside ? (
                  <Mark is="ok">
                    in it
                    {one.since === null ? null : (
                      <>
                        {' '}
                        since <Ago at={one.since} />
                      </>
                    )}
                  </Mark>
                ) : (
                  <span className="secondary">not in it</span>
                )}
                <br />
                <span className="secondary">
                  {one.says}{' '}
                  <Link to={`/segments/${one.id}`} search={{ person: id }}>
                    Why?
                  </Link>
                </span>
                {one.changes.length < 2 && (one.inside || one.changes.length === 0) ? null : (
                  <p className="secondary">
                    {one.changes.map((change, index) => (
                      <span key={change.at}>
                        {index === 0 ? '' : ', '}
                        {change.entered ? 'in' : 'out'} <Ago at={change.at} />
                      </span>
                    ))}
                  </p>
                )}
              </li>
            ))}
          </ul>
        )
      }
    </Ask>
  )
}
