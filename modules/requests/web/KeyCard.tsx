import { Button, Modal, Textarea, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import type { Me } from '../../accounts/contract.ts'
import { StepUp } from '../../accounts/web/index.tsx'
import { useDeed } from '../../../ui/api.ts'
import { Ago } from '../../../ui/format.tsx'
import { routes, type KeySlot, type RequestView } from '../contract.ts'

const touches = ['/api/requests', '/api/cockpit', '/api/broadcasts', '/api/audit']
const names = { marketing: 'Marketing key', it: 'IT key', protection: 'Data-protection key' } as const
const methods: Record<string, string> = {
  passkey: 'with passkey',
  totp: 'with a code',
  password: 'with password (demo company)',
}

function waited(seconds: number): string {
  if (seconds < 60) return 'less than a minute'
  if (seconds < 3_600) return `${String(Math.round(seconds / 60))} min`
  if (seconds < 86_400)
    return `${String(Math.floor(seconds / 3_600))} h ${String(Math.round((seconds % 3_600) / 60))} min`
  return `${String(Math.round(seconds / 86_400))} days`
}

/** One key: given by whom, when, how and on what condition; or who could give it, and the deed for the one who looks. */
export function KeyCard({ request, slot, me }: { request: RequestView; slot: KeySlot; me: Me | undefined }) {
  const [proving, setProving] = useState(false)
  const [conditional, setConditional] = useState(false)
  const [taking, setTaking] = useState(false)
  const [condition, setCondition] = useState('')
  const [because, setBecause] = useState('')
  const give = useDeed(routes.giveKey, { touches, done: 'Your key is on exactly this.', quiet: ['step_up'] })
  const withdraw = useDeed(routes.withdrawKey, { touches, done: 'Your key is taken back.' })
  const send = (words: string | undefined) => {
    give.mutate(
      {
        params: { id: request.id },
        body: {
          releaseHash: request.releaseHash,
          kind: slot.kind,
          ...(words === undefined || words.trim() === '' ? {} : { condition: words }),
        },
      },
      {
        onError: (problem) => {
          if (problem.code === 'step_up') setProving(true)
        },
      },
    )
  }
  const closed = request.state !== 'waiting' && request.state !== 'ready' && request.state !== 'live'
  const mine = slot.by !== null && slot.by.id === me?.id && slot.state === 'given'
  return (
    <section className={`card key ${slot.kind}`}>
      <header className="card-head">
        <h2>
          <span aria-hidden="true">{slot.state === 'given' ? '●' : '○'}</span> {names[slot.kind]} ·{' '}
          {slot.state === 'given' ? 'given' : closed ? 'not given' : slot.state}
        </h2>
      </header>
      {slot.state === 'given' ? (
        <>
          <p>
            {slot.by?.name}, {slot.at === null ? null : <Ago at={slot.at} />},{' '}
            {methods[slot.method ?? ''] ?? slot.method}
          </p>
          {slot.condition === null ? null : <p className="secondary">Condition: {slot.condition}</p>}
          {slot.expiresAt === null ? null : (
            <p className="secondary">
              It counts until <Ago at={slot.expiresAt} /> ends; came after {waited(slot.waitedSeconds)}.
            </p>
          )}
          {mine && !closed ? (
            <Button
              mt="sm"
              variant="default"
              onClick={() => {
                setTaking(true)
              }}
            >
              Take it back
            </Button>
          ) : null}
        </>
      ) : (
        <>
          <p>
            {slot.couldBe.length === 0
              ? 'Nobody here can give it. An administrator gives somebody of this side the role approver.'
              : slot.couldBe.join(' or ')}
          </p>
          {closed ? null : <p className="secondary">It has waited {waited(slot.waitedSeconds)}.</p>}
          {closed ? null : (
            <div className="row" style={{ marginTop: 10 }}>
              <Button
                disabled={!slot.yours}
                title={slot.whyNotYours ?? undefined}
                loading={give.isPending}
                onClick={() => {
                  send(undefined)
                }}
              >
                Give key
              </Button>
              <Button
                variant="default"
                disabled={!slot.yours}
                title={slot.whyNotYours ?? undefined}
                onClick={() => {
                  setConditional(true)
                }}
              >
                Give with a condition
              </Button>
            </div>
          )}
          {slot.yours || closed ? null : (
            <p className="secondary" style={{ marginTop: 8 }}>
              {slot.whyNotYours}
            </p>
          )}
        </>
      )}
      {slot.fallenOut.map((fallen) => (
        <p key={fallen.at} className="fallen">
          The key of {fallen.by} fell out <Ago at={fallen.at} />: {fallen.because}.
        </p>
      ))}
      <StepUp
        open={proving}
        close={() => {
          setProving(false)
        }}
        then={() => {
          send(condition)
        }}
      />
      <Modal
        opened={conditional}
        onClose={() => {
          setConditional(false)
        }}
        title="Give your key on a condition"
      >
        <form
          className="stack"
          onSubmit={(event: FormEvent) => {
            event.preventDefault()
            setConditional(false)
            send(condition)
          }}
        >
          <Textarea
            label="The condition"
            description="It stands beside your key for everybody to read. Interlock does not enforce what is written here."
            required
            autosize
            minRows={2}
            value={condition}
            onChange={(event) => {
              setCondition(event.currentTarget.value)
            }}
          />
          <Button type="submit">Give key</Button>
        </form>
      </Modal>
      <Modal
        opened={taking}
        onClose={() => {
          setTaking(false)
        }}
        title="Take your key back"
      >
        <form
          className="stack"
          onSubmit={(event: FormEvent) => {
            event.preventDefault()
            withdraw.mutate(
              { params: { id: request.id }, body: { because } },
              {
                onSuccess: () => {
                  setTaking(false)
                },
              },
            )
          }}
        >
          <p>
            {request.state === 'live'
              ? 'It is live: the rest stops within one batch.'
              : 'Without it, nothing goes live.'}
          </p>
          <TextInput
            label="Why?"
            required
            value={because}
            onChange={(event) => {
              setBecause(event.currentTarget.value)
            }}
          />
          <Button type="submit" loading={withdraw.isPending}>
            Take it back
          </Button>
        </form>
      </Modal>
    </section>
  )
}
