import { Button, TextInput } from '@mantine/core'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useRoute } from '../../../ui/api.ts'
import { Ago, count } from '../../../ui/format.tsx'
import { Ask, Card, Empty, Page, Table } from '../../../ui/page.tsx'
import { routes } from '../contract.ts'

export function PeoplePage() {
  const search: { q?: string } = useSearch({ strict: false })
  const navigate = useNavigate()
  const [after, setAfter] = useState<string | undefined>()
  const query = search.q ?? ''
  const list = useRoute(
    routes.list,
    { query: { search: query, ...(after === undefined ? {} : { after }) } },
    { keep: true },
  )
  return (
    <Page
      title="People"
      sub="One person over all sources. Each says how we know."
      {...(list.data === undefined
        ? {}
        : {
            sentence:
              query === ''
                ? `${count(list.data.total)} people are known.`
                : `${count(list.data.total)} people fit “${query}”.`,
          })}
    >
      <TextInput
        aria-label="Search people"
        placeholder="Name, e-mail, telephone or any identifier"
        defaultValue={query}
        onChange={(event) => {
          setAfter(undefined)
          const q = event.currentTarget.value
          void navigate({ to: '/people', search: q === '' ? {} : { q }, replace: true })
        }}
      />
      <Ask of={list} rows={10}>
        {({ people, next }) =>
          people.length === 0 ? (
            <Empty
              sentence={query === '' ? 'Nobody is known yet.' : 'Nobody is like this.'}
              example="People come from events with a userId or anonymousId, and from imported files."
              action={<Link to="/sources">To the sources</Link>}
            />
          ) : (
            <>
              <Card className="list">
                <Table label="People" head={['Name', 'E-mail', 'Telephone', 'Country', 'Last seen']}>
                  {people.map((row) => (
                    <tr key={row.id}>
                      <td>
                        <Link to={`/people/${row.id}`}>{row.name === '' ? 'Somebody without a name' : row.name}</Link>
                      </td>
                      <td>{row.email ?? <span className="secondary">–</span>}</td>
                      <td>{row.phone ?? <span className="secondary">–</span>}</td>
                      <td>{row.country ?? <span className="secondary">–</span>}</td>
                      <td>
                        <Ago at={row.lastSeenAt} />
                      </td>
                    </tr>
                  ))}
                </Table>
              </Card>
              <div className="row">
                {after === undefined ? null : (
                  <Button
                    variant="default"
                    onClick={() => {
                      setAfter(undefined)
                    }}
                  >
                    From the beginning
                  </Button>
                )}
                {next === null ? null : (
                  <Button
                    variant="default"
                    onClick={() => {
                      setAfter(next)
                    }}
                  >
                    Further
                  </Button>
                )}
              </div>
            </>
          )
        }
      </Ask>
    </Page>
  )
}
