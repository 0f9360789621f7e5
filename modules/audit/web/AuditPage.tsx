import { Button } from '@mantine/core'
import { Pager, useAddress } from '../../../ui/address.tsx'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ago } from '../../../ui/format.tsx'
import { Ask, Card, Page, Table } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes } from '../contract.ts'

const pageSize = 100

export function AuditPage() {
  const [{ before }] = useAddress()
  const found = useRoute(
    routes.list,
    { query: { limit: pageSize, ...(before === undefined ? {} : { before }) } },
    { keep: true },
  )
  const verify = useDeed(routes.verify, { touches: [] })
  const verdict = verify.data
  return (
    <Page
      title="Audit"
      sub="Everything that was done, by whom, in the order in which it was done. Each entry holds the hash of the one before, so no entry can be changed or taken out unseen."
      actions={
        <Button
          variant="default"
          loading={verify.isPending}
          onClick={() => {
            verify.mutate({})
          }}
        >
          Verify the chain
        </Button>
      }
      {...(verdict === undefined
        ? {}
        : {
            sentence: verdict.ok ? (
              <Mark is="ok">
                All {verdict.entries.toLocaleString('en-GB')} entries are as they were written. The head is{' '}
                <code>{verdict.head.slice(0, 16)}…</code>
              </Mark>
            ) : (
              <Mark is="fail">
                Entry {verdict.seq} is not as it was written: {verdict.because}
              </Mark>
            ),
          })}
    >
      <Card className="list">
        <Ask of={found} shape="table">
          {({ entries, actors }) => (
            <Table label="Audit log" head={['Entry', 'When', 'Who', 'What', 'On', 'Hash']}>
              {entries.map((entry) => (
                <tr key={entry.seq}>
                  <td>{entry.seq}</td>
                  <td>
                    <Ago at={entry.at} />
                  </td>
                  <td>
                    {actors[entry.actor.id] ??
                      (entry.actor.id.startsWith('account_') ? 'somebody who left' : 'Interlock')}
                  </td>
                  <td>{entry.summary}</td>
                  <td>
                    <span className="secondary">{entry.object.kind}</span> <code>{entry.object.id.slice(-8)}</code>
                  </td>
                  <td>
                    <code>{entry.hash.slice(0, 10)}…</code>
                  </td>
                </tr>
              ))}
            </Table>
          )}
        </Ask>
      </Card>
      <Pager
        word="before"
        next={(found.data?.entries.length ?? 0) === pageSize ? found.data?.entries.at(-1)?.seq : null}
      />
    </Page>
  )
}
