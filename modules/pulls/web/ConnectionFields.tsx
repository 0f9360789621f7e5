import { NumberInput, PasswordInput, Select, TextInput } from '@mantine/core'
import type { Connection, DatabaseConnection } from '../contract.ts'

export interface Wanted {
  connection: Connection
  password: string
}
const first = {
  postgres: { kind: 'postgres', host: '', port: 5432, database: '', user: '', tls: 'verify' },
  mysql: { kind: 'mysql', host: '', port: 3306, database: '', user: '', tls: 'verify' },
  salesforce: { kind: 'salesforce', loginUrl: '', clientId: '' },
} as const satisfies Record<Connection['kind'], Connection>
export const firstConnection: Wanted = { connection: first.postgres, password: '' }
const kindName = { postgres: 'PostgreSQL', mysql: 'MySQL or MariaDB', salesforce: 'Salesforce' } as const

/** From where is read, in a few words: a list has the short ones, a page says the machine too. */
export function fromWhere(of: Connection, long: boolean): string {
  if (of.kind === 'salesforce') return `${kindName.salesforce}, ${of.loginUrl.replace(/^https?:[/][/]/, '')}`
  return long ? `${kindName[of.kind]} ${of.database} on ${of.host}` : `${kindName[of.kind]}, ${of.database}`
}

/** Whether everything is said that a connection needs. */
export function isComplete({ connection, password }: Wanted): boolean {
  return connection.kind === 'salesforce'
    ? /^https?:[/][/][^/]+[/]?$/.test(connection.loginUrl) && connection.clientId !== '' && password !== ''
    : connection.host !== '' && connection.database !== '' && connection.user !== ''
}

/** Where a database or Salesforce is, and as whom it is read. */
export function ConnectionFields(props: { value: Wanted; onChange: (value: Wanted) => void; fixedKind?: boolean }) {
  const { value, onChange, fixedKind } = props
  const { connection, password } = value
  const set = (to: Connection) => {
    onChange({ ...value, connection: to })
  }
  const isSalesforce = connection.kind === 'salesforce'
  const kind = (
    <Select
      label="Kind"
      allowDeselect={false}
      disabled={fixedKind === true}
      data={Object.entries(kindName).map(([of, label]) => ({ value: of, label }))}
      value={connection.kind}
      onChange={(to) => {
        const of = to as Connection['kind']
        // Between databases, what was typed stays.
        set(isSalesforce || of === 'salesforce' ? first[of] : { ...connection, kind: of, port: first[of].port })
      }}
    />
  )
  const secret = (
    <PasswordInput
      label={isSalesforce ? 'Client secret' : 'Password'}
      required={isSalesforce && fixedKind !== true}
      autoComplete="new-password"
      value={password}
      onChange={(event) => {
        onChange({ ...value, password: event.currentTarget.value })
      }}
    />
  )
  return (
    <div className="stack">
      {isSalesforce ? (
        <div className="fields">
          {kind}
          <TextInput
            label="Login address"
            required
            placeholder="https://acme.my.salesforce.com"
            value={connection.loginUrl}
            onChange={(event) => {
              set({ ...connection, loginUrl: event.currentTarget.value.trim() })
            }}
          />
          <TextInput
            label="Client ID"
            required
            value={connection.clientId}
            onChange={(event) => {
              set({ ...connection, clientId: event.currentTarget.value.trim() })
            }}
          />
          {secret}
        </div>
      ) : (
        <DatabaseFields value={connection} onChange={set} kind={kind} secret={secret} />
      )}
      <p className="secondary">
        {isSalesforce
          ? 'An external client app in Salesforce with the client-credentials flow, which runs as a user that may only read. The company’s own domain, not login.salesforce.com. The secret is kept encrypted, and nobody reads it back.'
          : 'Give a user that may only read. The password is kept encrypted, and nobody reads it back.'}
      </p>
    </div>
  )
}

function DatabaseFields(props: {
  value: DatabaseConnection
  onChange: (value: DatabaseConnection) => void
  kind: React.ReactNode
  secret: React.ReactNode
}) {
  const { value, kind, secret } = props
  const set = (change: Partial<DatabaseConnection>) => {
    props.onChange({ ...value, ...change })
  }
  return (
    <>
      <div className="fields">
        {kind}
        <TextInput
          label="Host"
          required
          placeholder="shop-db.example.com"
          value={value.host}
          onChange={(event) => {
            set({ host: event.currentTarget.value })
          }}
        />
        <NumberInput
          label="Port"
          required
          min={1}
          max={65_535}
          value={value.port}
          onChange={(port) => {
            set({ port: Number(port) })
          }}
        />
        <TextInput
          label="Database"
          required
          value={value.database}
          onChange={(event) => {
            set({ database: event.currentTarget.value })
          }}
        />
      </div>
      <div className="fields">
        <TextInput
          label="User"
          required
          value={value.user}
          onChange={(event) => {
            set({ user: event.currentTarget.value })
          }}
        />
        {secret}
        <Select
          label="Encryption"
          allowDeselect={false}
          data={[
            { value: 'verify', label: 'encrypted, certificate checked' },
            { value: 'encrypt', label: 'encrypted, any certificate' },
            { value: 'off', label: 'not encrypted' },
          ]}
          value={value.tls}
          onChange={(tls) => {
            set({ tls: tls as 'off' })
          }}
        />
      </div>
    </>
  )
}
