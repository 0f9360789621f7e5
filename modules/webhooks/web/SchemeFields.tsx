import { Checkbox, Select, TextInput } from '@mantine/core'
import { schemeKinds, type Scheme, type SchemeKind } from '../contract.ts'

/** A scheme of one kind as it usually is; the one in a header is GitHub's. */
export function firstScheme(kind: SchemeKind): Scheme {
  if (kind === 'hmac')
    return { kind, header: 'x-hub-signature-256', encoding: 'hex', prefix: 'sha256=', idHeader: 'x-github-delivery' }
  return kind === 'none' ? { kind, anybodyMaySend: true } : { kind }
}
export const complete = (scheme: Scheme): boolean => scheme.kind !== 'hmac' || scheme.header.trim() !== ''

const means: Record<SchemeKind, string> = {
  standard:
    'Headers webhook-id, webhook-timestamp and webhook-signature; the secret begins with whsec_. Older than five minutes is refused.',
  shopify:
    'X-Shopify-Hmac-Sha256 over the body. The secret is in the shop under Settings, Notifications, Webhooks, or it is your app’s client secret.',
  woocommerce:
    'X-WC-Webhook-Signature over the body. Choose a secret here and paste the same one into WooCommerce, Settings, Advanced, Webhooks.',
  stripe: 'Stripe-Signature with its time. Older than five minutes is refused.',
  hmac: 'An HMAC-SHA256 of the body, in a header of your choice.',
  none: 'Whoever knows the address can say anything about anybody, consent too.',
}

export function SchemeFields({ value, onChange }: { value: Scheme; onChange: (scheme: Scheme) => void }) {
  return (
    <div className="stack">
      <Select
        label="How it is signed"
        description={means[value.kind]}
        allowDeselect={false}
        data={Object.entries(schemeKinds).map(([kind, label]) => ({ value: kind, label }))}
        value={value.kind}
        onChange={(kind) => {
          onChange(firstScheme((kind ?? 'standard') as SchemeKind))
        }}
      />
      {value.kind === 'hmac' ? (
        <div className="fields">
          <TextInput
            label="Header with the signature"
            value={value.header}
            onChange={(event) => {
              onChange({ ...value, header: event.currentTarget.value })
            }}
          />
          <TextInput
            label="What stands before it"
            value={value.prefix}
            onChange={(event) => {
              onChange({ ...value, prefix: event.currentTarget.value })
            }}
          />
          <Select
            label="Written as"
            allowDeselect={false}
            data={['hex', 'base64']}
            value={value.encoding}
            onChange={(encoding) => {
              onChange({ ...value, encoding: encoding === 'base64' ? 'base64' : 'hex' })
            }}
          />
          <TextInput
            label="Header with its id"
            description="Empty: the same body again counts once."
            value={value.idHeader ?? ''}
            onChange={(event) => {
              const text = event.currentTarget.value
              onChange({ ...value, idHeader: text === '' ? null : text })
            }}
          />
        </div>
      ) : null}
      {value.kind === 'none' ? (
        <Checkbox label="I know that anybody who has the address may send" checked readOnly />
      ) : null}
    </div>
  )
}
