import { Button } from '@mantine/core'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, count } from '../../../ui/format.tsx'
import { Ask, Card, Table } from '../../../ui/page.tsx'
import { SureButton } from '../../../ui/sure.tsx'
import { routes, type DestinationDetail } from '../contract.ts'

/** Events that could not be delivered, with their reasons, and another try for one or all. */
export function DeadLetters({ destination }: { destination: DestinationDetail }) {
  const { id, counts, state } = destination
  const letters = useRoute(routes.deadLetters, { params: { id } }, { enabled: counts.deadLetters > 0, everyMs: 5_000 })
  const replay = useDeed(routes.replay, {
    touches: ['/api/destinations', '/api/audit'],
    done: ({ again }) => `${count(again)} are tried again.`,
  })
  if (counts.deadLetters === 0) return null
  const whyNot = state === 'live' ? undefined : 'They leave under a live agreement only.'
  return (
    <Card
      title="Dead letters"
      aside={
        <SureButton
          label="Try all again"
          says={`All ${count(counts.deadLetters)} leave again with the fields of the contract as it stands. They come after what was delivered since, so the order of a person is not kept.`}
          size="compact-sm"
          disabled={whyNot !== undefined}
          title={whyNot}
          loading={replay.isPending}
          onSure={() => {
            replay.mutate({ params: { id }, body: { ids: null } })
          }}
        />
      }
    >
      <Ask of={letters} shape="table">
        {(found) => (
          <Table label="Dead letters" head={['Event', 'Came', 'Reason', '']}>
            {found.letters.map((letter) => (
              <tr key={letter.id}>
                <td>
                  {letter.name === '' ? letter.type : letter.name}
                  <br />
                  <code className="secondary breaks">{letter.eventKey}</code>
                </td>
                <td>
                  <Ago at={letter.receivedAt} />
                </td>
                <td>{letter.reason}</td>
                <td>
                  {letter.state === 'again' ? (
                    <span className="secondary">being tried again</span>
                  ) : (
                    <Button
                      size="compact-sm"
                      variant="default"
                      disabled={whyNot !== undefined}
                      title={whyNot}
                      onClick={() => {
                        replay.mutate({ params: { id }, body: { ids: [letter.id] } })
                      }}
                    >
                      Try again
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Ask>
      {letters.data === undefined || letters.data.next === null ? null : (
        <p className="secondary">The newest {count(letters.data.letters.length)} are shown.</p>
      )}
    </Card>
  )
}
