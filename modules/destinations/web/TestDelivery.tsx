import { Button } from '@mantine/core'
import { useDeed } from '../../../ui/api.ts'
import { Mark } from '../../../ui/signal.tsx'
import { routes } from '../contract.ts'

/** Sends one made-up event and shows what was sent and what came of it. */
export function TestDelivery({ id }: { id: never }) {
  const test = useDeed(routes.test, { touches: ['/api/audit'] })
  return (
    <div className="stack">
      <div>
        <Button
          variant="default"
          loading={test.isPending}
          onClick={() => {
            test.mutate({ params: { id } })
          }}
        >
          Send a made-up event
        </Button>
      </div>
      <p className="secondary">It has every field of the contract, made up: nothing of anybody leaves.</p>
      {test.data === undefined ? null : (
        <div role="status" className="stack">
          <Mark is={test.data.ok ? 'ok' : 'warn'}>{test.data.says}</Mark>
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
          <pre tabIndex={0} role="region" aria-label="What was sent">
            <code>{JSON.stringify(test.data.sent, null, 2)}</code>
          </pre>
        </div>
      )}
    </div>
  )
}
