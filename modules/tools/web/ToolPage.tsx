import { Button, Modal } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { AuditOf } from '../../audit/web/index.tsx'
import { useAgreements } from '../../requests/web/index.tsx'
import { call, useDeed, useRoute } from '../../../ui/api.ts'
import { dayOf, money, Timed } from '../../../ui/format.tsx'
import { Ask, Card, Facts, ObjectLayout, Page, useParam } from '../../../ui/page.tsx'
import { FieldChip, Mark, SideMark } from '../../../ui/signal.tsx'
import { sensitivityOf } from '../../../lib/sensitivity/sensitivity.ts'
import { routes } from '../contract.ts'
import { ToolForm } from './ToolForm.tsx'

export function ToolPage() {
  const id = useParam('id')
  const found = useRoute(routes.get, { params: { id } })
  const [open, setOpen] = useState(false)
  const agreements = useAgreements(id)
  const before = found.data?.tool.status
  const change = useDeed(routes.change, {
    touches: ['/api/tools', '/api/requests', '/api/cockpit', '/api/audit', '/api/mail-route'],
    done: 'Changed. Requests that go through it were looked at again.',
    undo: (now, { params, body }) =>
      params === undefined || body?.status === undefined
        ? undefined
        : () => call(routes.change, { params, body: { status: before ?? now.status } }),
  })
  return (
    <Ask of={found} shape="page">
      {({ tool, integrations }) => (
        <ObjectLayout panel={{ ...agreements, Audit: <AuditOf kind="tool" id={tool.id} /> }}>
          <Page
            title={tool.name}
            crumbs={[{ label: 'Tools', to: '/tools' }, { label: tool.name }]}
            sub={[tool.capability, tool.vendor].filter((part) => part !== '').join(' · ')}
            sentence={
              tool.registered ? (
                <Timed text={tool.blockedBecause ?? 'It is live, and both sides answer for it.'} />
              ) : (
                `It was found and nobody registered it: ${tool.evidence ?? ''}. Name an owner on each side and it is in the register; no blame.`
              )
            }
            actions={
              <>
                {tool.status === 'live' ? (
                  <Button
                    variant="default"
                    loading={change.isPending}
                    onClick={() => {
                      change.mutate({ params: { id: tool.id }, body: { status: 'retired' } })
                    }}
                  >
                    Retire it
                  </Button>
                ) : (
                  <Button
                    variant="default"
                    loading={change.isPending}
                    onClick={() => {
                      change.mutate({ params: { id: tool.id }, body: { status: 'live' } })
                    }}
                  >
                    Put it live
                  </Button>
                )}
                <Button
                  onClick={() => {
                    setOpen(true)
                  }}
                >
                  Change the facts
                </Button>
              </>
            }
          >
            <div className="cards">
              <Card title="Who answers for it">
                <Facts
                  rows={[
                    {
                      label: <SideMark side="marketing" />,
                      says: tool.owners.marketing?.name ?? <Mark is="warn">nobody</Mark>,
                      key: 'm',
                    },
                    {
                      label: <SideMark side="it" />,
                      says: tool.owners.it?.name ?? <Mark is="warn">nobody</Mark>,
                      key: 'i',
                    },
                  ]}
                />
              </Card>
              <Card title="Contract">
                <Facts
                  rows={[
                    {
                      label: 'Ends',
                      says: tool.contract.endsOn === null ? 'no end agreed' : dayOf(tool.contract.endsOn),
                    },
                    {
                      label: 'A year',
                      says:
                        tool.contract.costMinor === null
                          ? 'nobody knows'
                          : money(tool.contract.costMinor / 100, tool.contract.currency),
                    },
                    { label: 'Data is in', says: tool.region },
                    { label: 'Stands', says: tool.status },
                  ]}
                />
              </Card>
              <Card title="Personal fields it holds" aside="as the register says">
                {tool.personalFields.length === 0 ? (
                  <p className="secondary">None.</p>
                ) : (
                  tool.personalFields.map((field) => (
                    <FieldChip key={field} label={field} sensitivity={sensitivityOf(field)} />
                  ))
                )}
              </Card>
            </div>
            <Card
              title="What it hands on, and what it gets"
              aside={integrations.length === 0 ? 'nothing known' : undefined}
            >
              <Facts
                rows={integrations.map((one) => ({
                  key: one.id,
                  label: one.purpose,
                  says: (
                    <>
                      <Link to={`/tools/${one.from.id}`}>{one.from.name}</Link> →{' '}
                      <Link to={`/tools/${one.to.id}`}>{one.to.name}</Link>
                      <br />
                      {one.fields.map((field) => (
                        <FieldChip key={field} label={field} sensitivity={sensitivityOf(field)} />
                      ))}{' '}
                      {one.agreed ? <Mark is="ok">agreed</Mark> : <Mark is="warn">nobody agreed to it</Mark>}
                    </>
                  ),
                }))}
              />
            </Card>
            <Modal
              opened={open}
              onClose={() => {
                setOpen(false)
              }}
              title={`Change ${tool.name}`}
            >
              <ToolForm
                start={tool}
                act="Save"
                busy={change.isPending}
                save={(values) => {
                  change.mutate(
                    { params: { id: tool.id }, body: values },
                    {
                      onSuccess: () => {
                        setOpen(false)
                      },
                    },
                  )
                }}
              />
            </Modal>
          </Page>
        </ObjectLayout>
      )}
    </Ask>
  )
}
