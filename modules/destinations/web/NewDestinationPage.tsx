import { Button, Modal, Select, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import type { Id } from '../../../lib/ids/ids.ts'
import { routes as tools } from '../../tools/contract.ts'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ask, Card, Page } from '../../../ui/page.tsx'
import { routes, type Kind, type Settings } from '../contract.ts'
import { contractOf, ContractForm, emptyContract, type ContractValues } from './ContractForm.tsx'
import { SecretNote } from './SecretNote.tsx'
import { SettingsForm, startOf } from './SettingsForm.tsx'

/** Where to, which events with which fields, and for what. It makes a draft; asking for it comes next. */
export function NewDestinationPage() {
  const kinds = useRoute(routes.kinds)
  const [chosen, setChosen] = useState<string | undefined>()
  return (
    <Page
      title="Send events on"
      tabTitle="A new destination"
      crumbs={[{ label: 'Destinations', to: '/destinations' }, { label: 'New' }]}
      sub="It becomes a draft. Then you ask for it to go live: what it may take along, how sensitive that is and which keys it needs is computed."
    >
      <Ask of={kinds}>
        {(all) => {
          const kind = all.find((one) => one.kind === chosen)
          return (
            <>
              <Card title="1. Where to">
                <div className="choices" role="radiogroup" aria-label="Where to">
                  {all.map((one) => (
                    <div key={one.kind} className="choice">
                      <input
                        id={`kind-${one.kind}`}
                        type="radio"
                        name="kind"
                        aria-describedby={`kind-${one.kind}-says`}
                        checked={one.kind === chosen}
                        onChange={() => {
                          setChosen(one.kind)
                        }}
                      />
                      <div>
                        <label htmlFor={`kind-${one.kind}`}>{one.name}</label>
                        <p id={`kind-${one.kind}-says`} className="secondary">
                          {one.says}
                        </p>
                      </div>
                    </div>
                  ))}
                </div>
              </Card>
              {kind === undefined ? null : <Rest key={kind.kind} kind={kind} />}
            </>
          )
        }}
      </Ask>
    </Page>
  )
}

function Rest({ kind }: { kind: Kind }) {
  const register = useRoute(tools.list)
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const [toolId, setToolId] = useState<Id<'tool'> | null>(null)
  const [settings, setSettings] = useState<Settings>(() => startOf(kind))
  const [contract, setContract] = useState<ContractValues>({
    ...emptyContract,
    frequency: kind.frequencies[0] ?? 'at_once',
  })
  const [made, setMade] = useState<{ id: string; secret: string } | undefined>()
  const create = useDeed(routes.create, {
    touches: ['/api/destinations', '/api/tools', '/api/audit'],
    done: 'It is a draft. Nothing leaves yet.',
  })
  const open = (id: string) => void navigate({ to: `/destinations/${id}` })
  return (
    <form
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        create.mutate(
          {
            body: { name, kind: kind.kind, toolId, settings, contract: contractOf(contract) },
          },
          {
            onSuccess(reply) {
              const [secret] = Object.values(reply.made)
              if (secret === undefined) open(reply.id)
              else setMade({ id: reply.id, secret })
            },
          },
        )
      }}
      className="stack"
    >
      <Card title={`2. ${kind.name}`}>
        <div className="stack">
          <TextInput
            label="Name"
            description="As people call it: “Warehouse”, “Finance lake”."
            required
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value)
            }}
          />
          <Select
            label="It belongs to the tool"
            description="Empty: a tool of this name enters the register. It needs an owner on each side before anything leaves."
            placeholder="A new one"
            clearable
            searchable
            data={(register.data ?? [])
              .filter((tool) => tool.status !== 'retired')
              .map((tool) => ({ value: tool.id as string, label: tool.name }))}
            value={toolId}
            onChange={(next) => {
              setToolId(register.data?.find((tool) => tool.id === next)?.id ?? null)
            }}
          />
          <SettingsForm kind={kind} values={settings} set={setSettings} />
        </div>
      </Card>
      <Card title="3. The contract: what may leave">
        <div className="stack">
          <ContractForm values={contract} set={setContract} allowed={kind.frequencies} />
        </div>
      </Card>
      <div>
        <Button type="submit" loading={create.isPending}>
          Make it
        </Button>
      </div>
      <Modal
        opened={made !== undefined}
        onClose={() => {
          if (made !== undefined) open(made.id)
        }}
        title="The signing secret"
      >
        {made === undefined ? null : (
          <SecretNote
            secret={made.secret}
            close={() => {
              open(made.id)
            }}
          />
        )}
      </Modal>
    </form>
  )
}
