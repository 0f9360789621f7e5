import { Button, Modal, Select } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { SearchField, useAddress } from '../../../ui/address.tsx'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, money, plural, Timed } from '../../../ui/format.tsx'
import { Ask, Card, Empty, Page, Table } from '../../../ui/page.tsx'
import { Mark, SideMark } from '../../../ui/signal.tsx'
import { routes, type Tool } from '../contract.ts'
import { ToolForm } from './ToolForm.tsx'

export function ToolsPage() {
  const tools = useRoute(routes.list)
  const navigate = useNavigate()
  const [open, setOpen] = useState(false)
  const [{ q: search = '', only = 'all' }, put] = useAddress()
  const [inSixtyDays] = useState(() => Date.now() + 60 * 86_400_000)
  const create = useDeed(routes.create, {
    touches: ['/api/tools', '/api/cockpit'],
    done: (tool) => `“${tool.name}” is in the register.`,
  })
  const all = tools.data ?? []
  const found = all.filter((tool) => !tool.registered).length
  const onOne = all.filter(
    (tool) => tool.registered && tool.status === 'live' && (tool.owners.marketing === null || tool.owners.it === null),
  ).length
  const shown = all.filter(
    (tool) =>
      `${tool.name} ${tool.vendor} ${tool.capability}`.toLowerCase().includes(search.toLowerCase()) &&
      (only === 'all' ||
        (only === 'found' && !tool.registered) ||
        (only === 'blocked' && tool.blockedBecause !== null) ||
        (only === 'ending' && tool.contract.endsOn !== null && Date.parse(tool.contract.endsOn) < inSixtyDays)),
  )
  return (
    <Page
      title="Tools"
      sub="Everything that is used here, who answers for it on each side, what it costs and which personal fields it holds."
      actions={
        <Button
          onClick={() => {
            setOpen(true)
          }}
        >
          Register a tool
        </Button>
      }
      {...(tools.data === undefined
        ? {}
        : {
            sentence: `${plural(all.length, 'tool', 'tools')}: ${plural(onOne, 'lacks an owner on a side or both', 'lack an owner on a side or both')}, and ${plural(found, 'was found that nobody registered', 'were found that nobody registered')}.`,
          })}
    >
      <div className="row">
        <SearchField label="Search tools" placeholder="Search by name, vendor or purpose" />
        <Select
          aria-label="Which tools"
          value={only}
          onChange={(next) => {
            put({ only: next === null || next === 'all' ? undefined : next })
          }}
          allowDeselect={false}
          data={[
            { value: 'all', label: 'All tools' },
            { value: 'found', label: 'Found, not registered' },
            { value: 'blocked', label: 'Cannot be used now' },
            { value: 'ending', label: 'Contract ends in 60 days' },
          ]}
        />
      </div>
      <Ask of={tools} shape="table">
        {() =>
          shown.length === 0 ? (
            <Empty
              sentence="No tool is like this."
              example="The register holds every tool with two owners; nothing that needs keys goes through one that lacks either."
            />
          ) : (
            <Card className="list">
              <Table label="Tools" head={['Tool', 'For', 'Owners', 'Contract', 'A year', 'Stands']} right={[4]}>
                {shown.map((tool) => (
                  <tr key={tool.id}>
                    <td>
                      <Link to={`/tools/${tool.id}`}>{tool.name}</Link>
                      <br />
                      <span className="secondary">{tool.vendor}</span>
                    </td>
                    <td>{tool.capability}</td>
                    <td>
                      <Owner side="marketing" name={tool.owners.marketing?.name} />
                      <br />
                      <Owner side="it" name={tool.owners.it?.name} />
                    </td>
                    <td>
                      {tool.contract.endsOn === null ? (
                        <span className="secondary">no end</span>
                      ) : (
                        <>
                          ends <Ago at={tool.contract.endsOn} />
                        </>
                      )}
                    </td>
                    <td className="right">
                      {tool.contract.costMinor === null ? (
                        <span className="secondary">unknown</span>
                      ) : (
                        money(tool.contract.costMinor / 100, tool.contract.currency)
                      )}
                    </td>
                    <td>
                      <Stands tool={tool} />
                    </td>
                  </tr>
                ))}
              </Table>
            </Card>
          )
        }
      </Ask>
      <Modal
        opened={open}
        onClose={() => {
          setOpen(false)
        }}
        title="Register a tool"
      >
        <ToolForm
          act="Register it"
          busy={create.isPending}
          save={(values) => {
            create.mutate({ body: values }, { onSuccess: (tool) => void navigate({ to: `/tools/${tool.id}` }) })
          }}
        />
      </Modal>
    </Page>
  )
}

function Owner({ side, name }: { side: 'marketing' | 'it'; name: string | undefined }) {
  return (
    <>
      <SideMark side={side} />: {name ?? <span className="secondary">nobody</span>}
    </>
  )
}

/** Whether a tool may be used; if not, why not. */
export function Stands({ tool }: { tool: Tool }) {
  if (!tool.registered) return <Mark is="warn">found: {tool.evidence}</Mark>
  return tool.blockedBecause === null ? (
    <Mark is="ok">{tool.status}</Mark>
  ) : (
    <Mark is="warn">
      <Timed text={tool.blockedBecause} />
    </Mark>
  )
}
