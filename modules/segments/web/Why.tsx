import { Autocomplete } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { routes as profiles } from '../../profiles/contract.ts'
import { useAddress } from '../../../ui/address.tsx'
import { useRoute } from '../../../ui/api.ts'
import { Ago, calledOf } from '../../../ui/format.tsx'
import { Ask, Card } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes, type Segment, type Why } from '../contract.ts'

/** Asks about one person: are they in, and which condition decides it. The person stands in the address. */
export function WhyCard({ segment }: { segment: Segment }) {
  const [words, put] = useAddress()
  const [typed, setTyped] = useState('')
  const [search] = useDebouncedValue(typed.trim(), 250)
  const found = useRoute(profiles.list, { query: { search } }, { enabled: search.length > 1, keep: true })
  const person = words['person'] as Segment['id'] | undefined
  const people = (found.data?.people ?? []).slice(0, 12).map((one) => ({
    id: one.id,
    label: one.email === null ? calledOf(one) : `${calledOf(one)}, ${one.email}`,
  }))
  const labels = [...new Set(people.map((one) => one.label))]
  return (
    <Card title="Why is somebody in it, or not?" aside="of the saved version, as of now">
      <Autocomplete
        label="Who?"
        description="A name, an address, or any identifier"
        placeholder="anna@"
        data={labels}
        filter={({ options }) => options}
        value={typed}
        onChange={setTyped}
        onOptionSubmit={(label) => {
          put({ person: people.find((one) => one.label === label)?.id })
        }}
      />
      {person === undefined ? null : <WhyOf segment={segment.id} person={person} />}
    </Card>
  )
}

function WhyOf({ segment, person }: { segment: Segment['id']; person: string }) {
  const found = useRoute(routes.why, { params: { id: segment, person } }, { keep: true })
  return (
    <Ask of={found}>
      {({ person: one, why }) => (
        <div className="stack" style={{ marginTop: 16 }}>
          <p aria-live="polite">
            <Link to={`/people/${one.id}`}>{one.name === '' ? 'This person' : one.name}</Link>{' '}
            <b>{why.inside ? 'is in it' : 'is not in it'}</b>
            {why.groups.length === 1 ? '' : why.match === 'all' ? ': all groups must fit' : ': one group must fit'}.
          </p>
          {why.groups.map((group, index) => (
            <GroupOf key={index} group={group} />
          ))}
        </div>
      )}
    </Ask>
  )
}

function GroupOf({ group }: { group: Why['groups'][number] }) {
  const rule = group.match === 'all' ? 'all of these' : 'any of these'
  return (
    <section aria-label={group.not ? `None must hold: ${rule}` : rule}>
      {group.of.length === 1 && !group.not ? null : (
        <p className="secondary">
          {group.not ? `Not ${rule}` : `${rule[0]?.toUpperCase() ?? ''}${rule.slice(1)}`}:{' '}
          {group.holds ? 'fits' : 'does not fit'}.
        </p>
      )}
      <ul className="history">
        {group.of.map((one) => (
          <li key={one.says}>
            <Mark is={one.holds ? 'ok' : 'fail'}>
              <span className="hidden">{one.holds ? 'Holds:' : 'Does not hold:'}</span> {one.says}
            </Mark>
            {one.found === '' && one.at === null ? null : (
              <>
                <br />
                <span className="secondary">
                  {one.found}
                  {one.at === null ? null : (
                    <>
                      , <Ago at={one.at} />
                    </>
                  )}
                </span>
              </>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
