import { Button, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ask } from '../../../ui/page.tsx'
import { routes, type DestinationDetail, type Kind, type Settings } from '../contract.ts'
import { contractOf, ContractForm, valuesOf } from './ContractForm.tsx'
import { SettingsForm } from './SettingsForm.tsx'

/** Name, address, secrets and contract of a destination. */
export function ChangeForm({ destination, close }: { destination: DestinationDetail; close: () => void }) {
  const kinds = useRoute(routes.kinds)
  return (
    <Ask of={kinds}>
      {(all) => {
        const kind = all.find((one) => one.kind === destination.kind)
        return kind === undefined ? null : <Form destination={destination} kind={kind} close={close} />
      }}
    </Ask>
  )
}

function Form({ destination, kind, close }: { destination: DestinationDetail; kind: Kind; close: () => void }) {
  const [name, setName] = useState(destination.name)
  const [settings, setSettings] = useState<Settings>(destination.settings)
  const [contract, setContract] = useState(() => valuesOf(destination.contract))
  const change = useDeed(routes.change, {
    touches: ['/api/destinations', '/api/requests', '/api/audit', '/api/cockpit'],
    done: (now) => (now.state === 'halted' ? 'Changed. Nothing leaves until it is agreed again.' : 'Changed.'),
  })
  return (
    <form
      className="stack"
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        change.mutate(
          { params: { id: destination.id }, body: { name, settings, contract: contractOf(contract) } },
          { onSuccess: close },
        )
      }}
    >
      <p className="secondary">
        {destination.state === 'live' || destination.state === 'paused'
          ? 'A changed name, address or contract ends the agreement: delivery stops at once, events wait, and keys are needed anew. Secrets are free.'
          : 'Keys that were given fall out when name, address or contract change.'}
      </p>
      <TextInput
        label="Name"
        required
        value={name}
        onChange={(event) => {
          setName(event.currentTarget.value)
        }}
      />
      <SettingsForm
        kind={kind}
        values={settings}
        set={setSettings}
        held={destination.secrets.filter((one) => one.set).map((one) => one.name)}
      />
      <ContractForm values={contract} set={setContract} allowed={kind.frequencies} />
      <div>
        <Button type="submit" loading={change.isPending}>
          Save
        </Button>
      </div>
    </form>
  )
}
