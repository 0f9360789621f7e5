import { Checkbox, PasswordInput, Select, TextInput } from '@mantine/core'
import type { Place } from '../contract.ts'

export interface Wanted {
  place: Place
  secret: string
}
export const firstPlace = (folders: readonly string[]): Wanted => ({
  place:
    folders[0] === undefined
      ? { kind: 'https', url: '', auth: 'none', user: '' }
      : { kind: 'folder', folder: folders[0], pattern: '*.csv', done: true },
  secret: '',
})
export const isComplete = ({ place }: Wanted) =>
  place.kind === 'folder' ? place.folder !== '' && place.pattern !== '' : URL.canParse(place.url)

/** From where files come: a folder that an administrator allowed, or an address. */
export function PlaceFields(props: {
  value: Wanted
  folders: readonly string[]
  /** A secret is kept, so an empty field leaves it as it is. */
  kept?: boolean
  onChange: (value: Wanted) => void
}) {
  const { value, folders, kept, onChange } = props
  const { place, secret } = value
  const set = (next: Place) => {
    onChange({ ...value, place: next })
  }
  return (
    <div className="stack">
      <div className="fields">
        <Select
          label="They come from"
          allowDeselect={false}
          data={[
            { value: 'folder', label: 'a folder of this machine' },
            { value: 'https', label: 'an address (https)' },
          ]}
          value={place.kind}
          onChange={(kind) => {
            set(
              kind === 'folder'
                ? { kind, folder: folders[0] ?? '', pattern: '*.csv', done: true }
                : { kind: 'https', url: '', auth: 'none', user: '' },
            )
          }}
        />
        {place.kind === 'folder' ? (
          <>
            <TextInput
              label="Folder"
              required
              disabled={folders.length === 0}
              value={place.folder}
              onChange={(event) => {
                set({ ...place, folder: event.currentTarget.value })
              }}
            />
            <TextInput
              label="Files named like"
              description="* stands for any letters."
              required
              value={place.pattern}
              onChange={(event) => {
                set({ ...place, pattern: event.currentTarget.value })
              }}
            />
          </>
        ) : (
          <>
            <TextInput
              label="Address of the file"
              description="Everybody who works here sees it."
              required
              placeholder="https://crm.example.com/export/customers.csv"
              value={place.url}
              onChange={(event) => {
                set({ ...place, url: event.currentTarget.value })
              }}
            />
            <Select
              label="Signs in"
              allowDeselect={false}
              data={[
                { value: 'none', label: 'not at all' },
                { value: 'basic', label: 'by user and password' },
                { value: 'bearer', label: 'by a token' },
              ]}
              value={place.auth}
              onChange={(auth) => {
                set({ ...place, auth: auth as 'none', user: auth === 'basic' ? place.user : '' })
              }}
            />
          </>
        )}
      </div>
      {place.kind === 'folder' ? (
        <>
          <Checkbox
            label="Move what was read into the folder “done” in it"
            checked={place.done}
            onChange={(event) => {
              set({ ...place, done: event.currentTarget.checked })
            }}
          />
          <p className="secondary">
            {folders.length === 0
              ? 'No folder may be read yet. An administrator allows some with INTERLOCK_IMPORT_FOLDERS.'
              : `Allowed, with what is below: ${folders.join(', ')}. A file is taken when it has stayed as it is for ten seconds, and once: by what is in it.`}
          </p>
        </>
      ) : place.auth === 'none' ? (
        <p className="secondary">
          It is asked whether there is a newer file; one that is here already is not read again. Up to 2 GiB.
        </p>
      ) : (
        <>
          <div className="fields">
            {place.auth === 'basic' ? (
              <TextInput
                label="User"
                required
                value={place.user}
                onChange={(event) => {
                  set({ ...place, user: event.currentTarget.value })
                }}
              />
            ) : null}
            <PasswordInput
              label={place.auth === 'basic' ? 'Password' : 'Token'}
              autoComplete="new-password"
              placeholder={kept === true ? 'kept as it is' : ''}
              value={secret}
              onChange={(event) => {
                onChange({ ...value, secret: event.currentTarget.value })
              }}
            />
          </div>
          <p className="secondary">It is kept encrypted, nobody reads it back, and it goes to no other server.</p>
        </>
      )}
    </div>
  )
}
