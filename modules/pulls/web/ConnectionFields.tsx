import { NumberInput, PasswordInput, Select, TextInput } from '@mantine/core'
import type { Connection } from '../contract.ts'

export interface Wanted {
  connection: Connection
  password: string
}
export const firstConnection: Wanted = {
  connection: { kind: 'postgres', host: '', port: 5432, database: '', user: '', tls: 'verify' },
  password: '',
}
export const kindName = { postgres: 'PostgreSQL', mysql: 'MySQL or MariaDB' } as const
const usualPort = { postgres: 5432, mysql: 3306 } as const

/** Where a database is, and as whom it is read. */
export function ConnectionFields(props: { value: Wanted; onChange: (value: Wanted) => void; fixedKind?: boolean }) {
  const { value, onChange, fixedKind } = props
  const { connection, password } = value
  const set = (change: Partial<Connection>) => {
    onChange({ ...value, connection: { ...connection, ...change } })
  }
  return (
    <div className="stack">
      <div className="fields">
        <Select
          label="Kind"
          allowDeselect={false}
          disabled={fixedKind === true}
          data={Object.entries(kindName).map(([kind, label]) => ({ value: kind, label }))}
          value={connection.kind}
          onChange={(kind) => {
            set({ kind: kind as 'mysql', port: usualPort[kind as 'mysql'] })
          }}
        />
        <TextInput
          label="Host"
          required
          placeholder="shop-db.example.com"
          value={connection.host}
          onChange={(event) => {
            set({ host: event.currentTarget.value })
          }}
        />
        <NumberInput
          label="Port"
          required
          min={1}
          max={65_535}
          value={connection.port}
          onChange={(port) => {
            set({ port: Number(port) })
          }}
        />
        <TextInput
          label="Database"
          required
          value={connection.database}
          onChange={(event) => {
            set({ database: event.currentTarget.value })
          }}
        />
      </div>
      <div className="fields">
        <TextInput
          label="User"
          required
          value={connection.user}
          onChange={(event) => {
            set({ user: event.currentTarget.value })
          }}
        />
        <PasswordInput
          label="Password"
          autoComplete="new-password"
          value={password}
          onChange={(event) => {
            onChange({ ...value, password: event.currentTarget.value })
          }}
        />
        <Select
          label="Encryption"
          allowDeselect={false}
          data={[
            { value: 'verify', label: 'encrypted, certificate checked' },
            { value: 'encrypt', label: 'encrypted, any certificate' },
            { value: 'off', label: 'not encrypted' },
          ]}
          value={connection.tls}
          onChange={(tls) => {
            set({ tls: tls as 'off' })
          }}
        />
      </div>
      <p className="secondary">
        Give a user that may only read. The password is kept encrypted, and nobody reads it back.
      </p>
    </div>
  )
}
