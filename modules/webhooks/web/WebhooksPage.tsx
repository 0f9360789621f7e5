import { Button, PasswordInput, Select, TextInput } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { routes as sources } from '../../sources/contract.ts'
import { useAddress } from '../../../ui/address.tsx'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { count, plural } from '../../../ui/format.tsx'
import { Fresh } from '../../../ui/freshness.tsx'
import { Ask, Card, Empty, Page, Table } from '../../../ui/page.tsx'
import { presetNames, routes, schemeKinds, type Hook, type PresetName, type Scheme } from '../contract.ts'
import { complete, firstScheme, SchemeFields } from './SchemeFields.tsx'

export const touches = ['/api/webhooks', '/api/audit', '/api/collect']

export function WebhooksPage() {
  const list = useRoute(routes.list, {}, { everyMs: 5_000 })
  return (
    <Page
      title="Inbound webhooks"
      crumbs={[{ label: 'Sources', to: '/sources' }, { label: 'Webhooks' }]}
      sub="Another system (a shop, a form, a payment service) sends a signed message when something happens. A mapping says what it means; what does not fit is kept."
      {...(list.data === undefined || list.data.length === 0 ? {} : { sentence: sentenceOf(list.data) })}
    >
      <Ask of={list} shape="table">
        {(rows) =>
          rows.length === 0 ? (
            <Empty
              sentence="No system sends webhooks yet."
              example="Shopify and WooCommerce are ready: give the address to the shop, and its orders, refunds and customers come in under Segment’s e-commerce names. Anything else that sends JSON takes a mapping of yours."
            />
          ) : (
            <Card className="list">
              <Table
                label="Inbound webhooks"
                head={['Name', 'Into', 'Signed by', 'Last came', 'Received', 'Went in', 'Put aside']}
                right={[4, 5, 6]}
              >
                {rows.map((row) => (
                  <tr key={row.id}>
                    <td>
                      <Link to={`/webhooks/${row.id}`}>{row.name}</Link>
                    </td>
                    <td>
                      <Link to={`/sources/${row.sourceId}`}>{row.sourceName}</Link>
                    </td>
                    <td>{schemeKinds[row.scheme.kind]}</td>
                    <td>
                      <Fresh of={row.freshness} />
                    </td>
                    <td className="right">{count(row.counts.received)}</td>
                    <td className="right">{count(row.counts.taken)}</td>
                    <td className="right">{count(row.waitingAside)}</td>
                  </tr>
                ))}
              </Table>
            </Card>
          )
        }
      </Ask>
      <NewHook />
    </Page>
  )
}

function sentenceOf(rows: readonly Hook[]): string {
  const late = rows.filter((row) => row.freshness.missed)
  const aside = rows.reduce((sum, row) => sum + row.waitingAside, 0)
  if (late.length > 0)
    return `${plural(late.length, 'webhook is', 'webhooks are')} silent for longer than promised: ${late.map((row) => row.name).join(', ')}.`
  if (aside > 0) return `${plural(aside, 'delivery is', 'deliveries are')} put aside; the page of its webhook says why.`
  return `${plural(rows.length, 'system sends', 'systems send')}, and nothing is put aside.`
}

function NewHook() {
  const [{ source }] = useAddress()
  const navigate = useNavigate()
  const list = useRoute(sources.list)
  const [name, setName] = useState('')
  const [sourceId, setSourceId] = useState<string | null>(source ?? null)
  const [scheme, setScheme] = useState<Scheme>(firstScheme('shopify'))
  const [secret, setSecret] = useState('')
  const [preset, setPreset] = useState<PresetName>('shopify')
  const create = useDeed(routes.create, {
    touches,
    done: (hook) => `“${hook.name}” has an address now. Give it to the sender.`,
  })
  const needsSecret = scheme.kind !== 'none'
  const why =
    name.trim() === ''
      ? 'Give it a name.'
      : sourceId === null
        ? 'Choose the source.'
        : !complete(scheme)
          ? 'Say how it is signed.'
          : needsSecret && secret.trim().length < 8
            ? 'Say the secret, at least 8 characters.'
            : undefined
  return (
    <Card title="Open an address">
      <form
        className="stack"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          if (sourceId === null) return
          create.mutate(
            { body: { name, sourceId, scheme, preset, ...(needsSecret ? { secret } : {}) } },
            { onSuccess: (hook) => void navigate({ to: `/webhooks/${hook.id}` }) },
          )
        }}
      >
        <div className="fields">
          <TextInput
            label="Name"
            placeholder="Shop, orders"
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value)
            }}
          />
          <Select
            label="Into the source"
            description="What comes counts as said by it."
            data={(list.data?.sources ?? [])
              .filter((one) => one.kind !== 'internal')
              .map((one) => ({ value: one.id as string, label: one.name }))}
            value={sourceId}
            onChange={setSourceId}
          />
          <Select
            label="What its messages mean"
            description="A beginning; you can change every rule."
            allowDeselect={false}
            data={Object.entries(presetNames).map(([value, label]) => ({ value, label }))}
            value={preset}
            onChange={(value) => {
              const chosen = (value ?? 'plain') as PresetName
              setPreset(chosen)
              if (chosen !== 'plain') setScheme(firstScheme(chosen))
            }}
          />
        </div>
        <SchemeFields value={scheme} onChange={setScheme} />
        {needsSecret ? (
          <PasswordInput
            label="The secret with which it signs"
            description="The sender shows it or lets you choose it. It is encrypted here and never shown again."
            autoComplete="off"
            value={secret}
            onChange={(event) => {
              setSecret(event.currentTarget.value)
            }}
          />
        ) : null}
        <div className="row">
          <Button type="submit" disabled={why !== undefined} title={why} loading={create.isPending}>
            Open it
          </Button>
          {why === undefined ? null : <span className="secondary">{why}</span>}
        </div>
      </form>
    </Card>
  )
}
