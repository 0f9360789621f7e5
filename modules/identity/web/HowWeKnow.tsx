import { Select } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { wayBetween } from '../../../lib/links/links.ts'
import { useRoute } from '../../../ui/api.ts'
import { Ago } from '../../../ui/format.tsx'
import { Ask } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes, type Explanation } from '../contract.ts'
import { MakeOne, TakeApart } from './Decide.tsx'

type Joint = Explanation['links'][number]
const nameOf = ({ type, value }: { type: string; value: string }) => `${type} ${value}`
const inWords = (name: string) => {
  const [type = '', ...value] = name.split(' ')
  return { type: type.replaceAll('_', ' '), value: value.join(' ') }
}

/** How we know who this is: the identifiers of one person and the links that hold them together, what lies between two of them, what was decided against. */
export function HowWeKnow({ id }: { id: Explanation['profileId'] }) {
  const found = useRoute(routes.explain, { params: { id } })
  return (
    <Ask of={found}>
      {(known) => (
        <div className="stack">
          <Held known={known} />
          {known.refused.length === 0 ? null : (
            <>
              <h3>Seen together, and counts for nothing</h3>
              <ul className="history">
                {known.refused.map((one) => (
                  <li key={`${one.a} ${one.b}`}>
                    <Ends of={one} />
                    <br />
                    <span className="secondary">
                      Because {one.because}, <Ago at={one.since} />.
                    </span>
                    {one.otherProfileId === null ? null : (
                      <span className="row">
                        <Link to={`/people/${one.otherProfileId}`}>The other person</Link>
                        <MakeOne id={known.profileId} other={one.otherProfileId}>
                          <Ends of={one} />
                        </MakeOne>
                      </span>
                    )}
                  </li>
                ))}
              </ul>
            </>
          )}
          {known.decisions.length === 0 ? null : (
            <>
              <h3>What was decided</h3>
              <ul className="history">
                {known.decisions.map((decision) => (
                  <li key={`${decision.at} ${decision.kind} ${decision.because}`}>
                    {decided[decision.kind]} {decision.identifiers.map((name) => inWords(name).value).join(', ')}
                    {decision.others.length === 0
                      ? null
                      : ` ${decision.kind === 'join' ? 'and' : 'from'} ${decision.others.map((name) => inWords(name).value).join(', ')}`}
                    <br />
                    <span className="secondary">
                      {decision.because}, by {decision.decidedBy ?? 'Interlock'}, <Ago at={decision.at} />
                    </span>
                  </li>
                ))}
              </ul>
            </>
          )}
          {known.mergedFrom.length === 0 ? null : (
            <p className="secondary">
              {known.mergedFrom.length === 1
                ? 'One other profile turned'
                : `${String(known.mergedFrom.length)} other profiles turned`}{' '}
              out to be the same person; their events are here too.
            </p>
          )}
        </div>
      )}
    </Ask>
  )
}

/** Identifiers with the links beside them, and the way between two. */
function Held({ known }: { known: Explanation }) {
  const [from, setFrom] = useState<string | null>(null)
  const [to, setTo] = useState<string | null>(null)
  const names = known.identifiers.map(nameOf)
  const way = from === null || to === null || from === to ? undefined : wayBetween(known.links, from, to)
  const places = known.identifiers.map((one) => {
    const { type, value } = inWords(nameOf(one))
    return { value: nameOf(one), label: `${type} ${value}` }
  })
  const alone = known.links.filter(({ holds }) => holds !== null).length
  return (
    <>
      <div className="held">
        <Arcs names={names} links={known.links} marked={way ?? []} />
        <ul>
          {known.identifiers.map((one) => (
            <li key={nameOf(one)}>
              <span className="secondary">{one.type.replaceAll('_', ' ')}</span>
              <code>{one.value}</code>
              {one.shared ? <Mark is="warn">shared by several people: joins nobody</Mark> : null}
            </li>
          ))}
        </ul>
      </div>
      {known.links.length === 0 ? (
        <p className="secondary">Only one identifier, or all came in one event.</p>
      ) : (
        <p className="secondary">
          Each line is a link: both came in one event.{' '}
          {alone === 0
            ? 'No link holds anything alone: were one of them wrong, this would still be one person.'
            : alone === 1
              ? 'The thick one holds two parts together alone: were it wrong, these would be two people.'
              : 'Each thick one holds two parts together alone: were it wrong, these would be two people.'}
        </p>
      )}
      {known.identifiers.length < 2 ? null : (
        <>
          <div>
            <TakeApart known={known} label="This is two people" />
          </div>
          <h3>Why do two belong together?</h3>
          <Select label="This one" placeholder="Choose" data={places} value={from} onChange={setFrom} clearable />
          <Select label="and this one" placeholder="Choose" data={places} value={to} onChange={setTo} clearable />
          {from === null || to === null || from === to ? null : way === undefined ? (
            <p className="secondary">
              No link leads from one to the other: they came together before links were kept, or in one event.
            </p>
          ) : (
            <ol className="history" aria-label="The way from one to the other">
              {way.map((at) => {
                const link = known.links[at]
                return link === undefined ? null : <LinkInWords key={at} link={link} known={known} />
              })}
            </ol>
          )}
        </>
      )}
      {known.links.length === 0 ? null : (
        <>
          <h3>What linked them</h3>
          <ul className="history">
            {known.links.map((link) => (
              <LinkInWords key={`${link.a} ${link.b} ${link.messageId}`} link={link} known={known} />
            ))}
          </ul>
        </>
      )}
    </>
  )
}

const decided: Record<Explanation['decisions'][number]['kind'], string> = {
  share: 'Joins nobody from then on:',
  split: 'Told apart:',
  join: 'Made one person:',
  demote: 'Left out:',
  refuse: 'Left out:',
}

function Ends({ of }: { of: { a: string; b: string } }) {
  const [a, b] = [inWords(of.a), inWords(of.b)]
  return (
    <>
      {a.type} <code>{a.value}</code> and {b.type} <code>{b.value}</code>
    </>
  )
}

function LinkInWords({ link, known }: { link: Joint; known: Explanation }) {
  return (
    <li>
      <Ends of={link} />
      <br />
      <span className="secondary">
        {link.rule}, <Ago at={link.at} />, event {link.messageId}
        {link.events > 1 ? (
          <>
            ; in {String(link.events)} events so far, the last <Ago at={link.lastAt} />
          </>
        ) : null}
      </span>
      {link.holds === null ? null : (
        <>
          <br />
          <span className="secondary">
            Holds {link.holds.map((name) => inWords(name).value).join(', ')} to the rest alone.
          </span>{' '}
          <TakeApart known={known} label="Take apart here" preset={link.holds} />
        </>
      )}
    </li>
  )
}

const rowHeight = 48
const width = 44

/** The links as arcs beside the list: what the list under it says in words. */
function Arcs({
  names,
  links,
  marked,
}: {
  names: readonly string[]
  links: readonly Joint[]
  marked: readonly number[]
}) {
  const height = Math.max(1, names.length) * rowHeight
  const middle = (name: string) => names.indexOf(name) * rowHeight + rowHeight / 2
  return (
    <svg width={width} height={height} viewBox={`0 0 ${String(width)} ${String(height)}`} aria-hidden="true">
      {links.map((link, at) => {
        const [from, to] = [middle(link.a), middle(link.b)].sort((one, other) => one - other) as [number, number]
        const reach = Math.min(width - 8, 10 + (to - from) / 8)
        const kind = marked.includes(at) ? 'marked' : link.holds === null ? '' : 'alone'
        return (
          <path
            key={`${link.a} ${link.b} ${link.messageId}`}
            className={kind}
            d={`M ${String(width - 6)} ${String(from)} C ${String(width - 6 - reach)} ${String(from)}, ${String(width - 6 - reach)} ${String(to)}, ${String(width - 6)} ${String(to)}`}
          />
        )
      })}
      {names.map((name) => (
        <circle key={name} cx={width - 6} cy={middle(name)} r={4} />
      ))}
    </svg>
  )
}
