import { Button, Modal, MultiSelect, SegmentedControl, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { useAddress } from '../../../ui/address.tsx'
import { call, useDeed, useRoute } from '../../../ui/api.ts'
import { Ago } from '../../../ui/format.tsx'
import { Ask, Card, Page, Table } from '../../../ui/page.tsx'
import { SideMark, sideName } from '../../../ui/signal.tsx'
import { excludedRoles, Role, routes, type Person, type Side } from '../contract.ts'
import { proofs, useProof } from './useProof.tsx'

const meanings: Record<Role, string> = {
  viewer: 'viewer: reads',
  member: 'member: works, asks',
  approver: 'approver: works, gives the key of the side',
  protection: 'protection: gives the third key of red changes',
  technologist: 'technologist: works on both sides, holds no key',
  administrator: 'administrator: invites, sets roles',
}
/** With fewer people a day of cooling off stands for the second key (modules/policy). */
const smallCompany = 4

/** How keys are counted with so many people, so that whoever invites knows what one more changes. */
function howMany(people: number): string {
  return people < smallCompany
    ? 'With fewer than four people here, whatever goes live needs one key of somebody who neither asked nor edited, and then a day to cool off, which nothing shortens. From four people on it needs a key of each side and no day.'
    : 'Whatever goes live needs a key of each side, of people who neither asked nor edited, and then goes at once.'
}

const data = Role.options.map((role) => ({ value: role, label: meanings[role] }))

export function StaffPage() {
  const me = useRoute(routes.me)
  const people = useRoute(routes.people)
  const [{ invite }, put] = useAddress()
  const [changing, setChanging] = useState<Person | undefined>()
  const disable = useDeed(routes.setDisabled, {
    touches: ['/api/people-here', '/api/requests', '/api/cockpit'],
    done: 'Done; it is in force at once.',
    quiet: proofs,
    undo: (_done, { params, body }) =>
      params === undefined || body === undefined
        ? undefined
        : () => call(routes.setDisabled, { params, body: { disabled: !body.disabled } }),
  })
  const proof = useProof()
  const turn = (person: Person) => {
    disable.mutate(
      { params: { id: person.id }, body: { disabled: person.disabledAt === null } },
      {
        onError: proof.orProve(() => {
          turn(person)
        }),
      },
    )
  }
  const [forgot, setForgot] = useState<{ name: string; link: string } | undefined>()
  const renew = useDeed(routes.passwordLink, { touches: ['/api/audit'], quiet: proofs })
  const forget = (person: Person) => {
    renew.mutate(
      { params: { id: person.id } },
      {
        onSuccess({ link }) {
          setForgot({ name: person.name, link })
        },
        onError: proof.orProve(() => {
          forget(person)
        }),
      },
    )
  }
  const editing = changing ?? (invite === undefined ? undefined : 'new')
  const close = () => {
    setChanging(undefined)
    put({ invite: undefined })
  }
  const admin = me.data?.permissions.includes('admin') === true
  return (
    <Page
      title="People who work here"
      crumbs={[{ label: 'Settings', to: '/settings' }, { label: 'People who work here' }]}
      sub="Everyone has one side; keys count for it. What somebody may do follows from the roles, at once."
      actions={
        <Button
          disabled={!admin}
          title={admin ? undefined : 'Only an administrator invites people.'}
          onClick={() => {
            put({ invite: 'yes' })
          }}
        >
          Invite someone
        </Button>
      }
    >
      {people.data === undefined ? null : (
        <p className="secondary">{howMany(people.data.filter((row) => row.disabledAt === null).length)}</p>
      )}
      <Card className="list">
        <Ask of={people} shape="table">
          {(rows) => (
            <Table label="People who work here" head={['Name', 'Side', 'Roles', 'Second factor', 'Last seen', '']}>
              {rows.map((row) => (
                <tr key={row.id}>
                  <td>
                    <b>{row.name}</b>
                    <br />
                    <span className="secondary">{row.email}</span>
                  </td>
                  <td>
                    <SideMark side={row.side} />
                  </td>
                  <td>
                    {row.roles.join(', ')}
                    {row.disabledAt === null ? '' : ' (disabled)'}
                  </td>
                  <td>{row.hasSecondFactor ? 'yes' : 'none'}</td>
                  <td>
                    <Ago at={row.lastSeenAt} />
                  </td>
                  <td>
                    {admin ? (
                      <div className="row">
                        <Button
                          size="compact-sm"
                          variant="default"
                          onClick={() => {
                            setChanging(row)
                          }}
                        >
                          Change
                        </Button>
                        {row.disabledAt === null ? (
                          <Button
                            size="compact-sm"
                            variant="default"
                            aria-label={`New password for ${row.name}`}
                            onClick={() => {
                              forget(row)
                            }}
                          >
                            New password
                          </Button>
                        ) : null}
                        <Button
                          size="compact-sm"
                          variant="default"
                          onClick={() => {
                            turn(row)
                          }}
                        >
                          {row.disabledAt === null ? 'Disable' : 'Let back in'}
                        </Button>
                      </div>
                    ) : null}
                  </td>
                </tr>
              ))}
            </Table>
          )}
        </Ask>
      </Card>
      {proof.dialog}
      <Modal
        opened={forgot !== undefined}
        onClose={() => {
          setForgot(undefined)
        }}
        title={`A new password for ${forgot?.name ?? ''}`}
      >
        {forgot === undefined ? null : (
          <LinkToGive
            says={`Give this link to ${forgot.name} and to nobody else. It works once, for a day, and voids earlier ones; passkeys and authenticator stay.`}
            link={forgot.link}
          />
        )}
      </Modal>
      <Modal
        opened={editing !== undefined}
        onClose={close}
        title={editing === 'new' ? 'Invite someone' : `Change ${typeof editing === 'object' ? editing.name : ''}`}
      >
        {editing === undefined ? null : <Edit person={editing} close={close} />}
      </Modal>
    </Page>
  )
}

function Edit({ person, close }: { person: Person | 'new'; close: () => void }) {
  const [email, setEmail] = useState('')
  const [side, setSide] = useState<Side>(person === 'new' ? 'marketing' : person.side)
  const people = useRoute(routes.people)
  const here = (people.data ?? []).filter((one) => one.disabledAt === null)
  const signs = (of: Side) => here.some((one) => one.side === of && one.roles.includes('approver'))
  const [chosen, setRoles] = useState<string[] | undefined>(person === 'new' ? undefined : person.roles)
  // The first of a side is asked for its keys; whoever comes later is not, unless somebody says so.
  const roles = chosen ?? [people.data === undefined || signs(side) ? 'member' : 'approver']
  const [link, setLink] = useState<string | undefined>()
  const invite = useDeed(routes.invite, { touches: [], quiet: proofs })
  const change = useDeed(routes.setRoles, {
    touches: ['/api/people-here', '/api/requests', '/api/cockpit'],
    done: 'Changed; it is in force at once. Their sessions ended.',
    quiet: proofs,
  })
  const proof = useProof()
  const held = roles as Role[]
  const excluded = excludedRoles(held)
  const save = () => {
    const onError = proof.orProve(save)
    if (person === 'new')
      invite.mutate(
        { body: { email, side, roles: held } },
        {
          onSuccess: (reply) => {
            setLink(reply.link)
          },
          onError,
        },
      )
    else change.mutate({ params: { id: person.id }, body: { side, roles: held } }, { onSuccess: close, onError })
  }
  if (link !== undefined)
    return <LinkToGive says={`Give this link to ${email}. It works once, for seven days.`} link={link} />
  return (
    <>
      <form
        className="stack"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          save()
        }}
      >
        {person === 'new' ? (
          <TextInput
            label="E-mail"
            type="email"
            required
            value={email}
            onChange={(event) => {
              setEmail(event.currentTarget.value)
            }}
          />
        ) : null}
        <SegmentedControl
          aria-label="Side"
          value={side}
          onChange={(value) => {
            setSide(value)
          }}
          data={[
            { value: 'marketing', label: 'Marketing' },
            { value: 'it', label: 'IT' },
          ]}
        />
        {person === 'new' && people.data !== undefined ? (
          <p className="secondary">
            {signs(side)
              ? `${sideName[side]} has somebody who gives keys, so “member” is enough to work and to ask.`
              : `Nobody of ${sideName[side]} gives keys yet: with the role “approver” this person can; a “member” cannot.`}{' '}
            You would be {String(here.length + 1)} people. {howMany(here.length + 1)}
          </p>
        ) : null}
        <MultiSelect label="Roles" data={data} value={roles} onChange={setRoles} error={excluded} required />
        <Button
          type="submit"
          disabled={roles.length === 0 || excluded !== undefined}
          loading={invite.isPending || change.isPending}
        >
          {person === 'new' ? 'Make the link' : 'Change'}
        </Button>
      </form>
      {proof.dialog}
    </>
  )
}

function LinkToGive({ says, link }: { says: string; link: string }) {
  return (
    <div className="stack">
      <p>{says}</p>
      <code style={{ overflowWrap: 'anywhere' }}>{link}</code>
      <Button onClick={() => void navigator.clipboard.writeText(link)}>Copy</Button>
    </div>
  )
}
