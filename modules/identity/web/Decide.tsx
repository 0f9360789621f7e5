import { Button, Checkbox, Modal, Textarea } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { routes as accounts } from '../../accounts/contract.ts'
import { routes, type Explanation } from '../contract.ts'

const touches = ['/api/people']

/** Tells two people apart: whoever decides chooses what is somebody else's, and says what tells them so. */
export function TakeApart({
  known,
  label,
  preset = [],
}: {
  known: Explanation
  label: string
  /** Identifiers that are chosen when it opens, as `type value`. */
  preset?: readonly string[]
}) {
  const named = (one: Explanation['identifiers'][number]) => `${one.type} ${one.value}`
  const first = () => known.identifiers.filter((one) => preset.includes(named(one))).map((one) => String(one.no))
  const [chosen, setChosen] = useState<string[]>([])
  const navigate = useNavigate()
  const split = useDeed(routes.split, { touches, done: 'They are two people now, as if they had never been one.' })
  const none = chosen.length === 0
  const all = chosen.length === known.identifiers.length
  return (
    <Decide
      label={label}
      title="Two people?"
      act="Make two people"
      onOpen={() => {
        setChosen(first())
      }}
      whyNot={
        none
          ? 'Choose what is somebody else’s.'
          : all
            ? 'Leave at least one: from whom are the others apart?'
            : undefined
      }
      loading={split.isPending}
      onDecide={(because, close) => {
        split.mutate(
          { params: { id: known.profileId }, body: { identifiers: chosen.map(Number), because } },
          {
            onSuccess({ person }) {
              close()
              void navigate({ to: `/people/${person}`, search: true })
            },
          },
        )
      }}
    >
      <Checkbox.Group value={chosen} onChange={setChosen} label="Which of these are somebody else’s?">
        <div className="stack" style={{ marginTop: 8, gap: 8 }}>
          {known.identifiers.map((one) => (
            <Checkbox
              key={one.no}
              value={String(one.no)}
              label={
                <>
                  {one.type.replaceAll('_', ' ')} <code>{one.value}</code>
                </>
              }
            />
          ))}
        </div>
      </Checkbox.Group>
      <p className="secondary">
        Their events, traits, consents and messages go with them, as if the two had never been one. It stays so,
        whatever is seen later, until somebody says otherwise.
      </p>
    </Decide>
  )
}

/** Makes one person of two whom nothing that was seen may join. */
export function MakeOne({
  id,
  other,
  children,
}: {
  id: Explanation['profileId']
  other: Explanation['profileId']
  children: ReactNode
}) {
  const join = useDeed(routes.join, { touches, done: 'They are one person now.' })
  return (
    <Decide
      label="They are one person"
      title="One person?"
      act="Make one person"
      loading={join.isPending}
      onDecide={(because, close) => {
        join.mutate({ params: { id }, body: { with: other, because } }, { onSuccess: close })
      }}
    >
      <div>{children}</div>
      <p className="secondary">
        Everything of both is one person’s then. It stays so, whatever is seen later, until somebody takes them apart,
        which brings both back as they are now.
      </p>
    </Decide>
  )
}

/** A button for whoever may decide about people; nobody else sees it. */
function Decide(props: {
  label: string
  title: string
  act: string
  onOpen?: () => void
  whyNot?: string | undefined
  loading: boolean
  onDecide: (because: string, close: () => void) => void
  children: ReactNode
}) {
  const me = useRoute(accounts.me)
  const [open, setOpen] = useState(false)
  const [because, setBecause] = useState('')
  const close = () => {
    setOpen(false)
    setBecause('')
  }
  if (me.data?.permissions.includes('data.write') !== true) return null
  const whyNot = props.whyNot ?? (because.trim().length < 3 ? 'Say what tells you so, in a few words.' : undefined)
  return (
    <>
      <Button
        variant="default"
        size="compact-sm"
        onClick={() => {
          props.onOpen?.()
          setOpen(true)
        }}
      >
        {props.label}
      </Button>
      <Modal opened={open} onClose={close} title={props.title}>
        <div className="stack">
          {props.children}
          <Textarea
            label="What tells you so?"
            description="The next one who looks at this person reads it."
            placeholder="She rang and said so"
            autosize
            minRows={2}
            maxLength={500}
            value={because}
            onChange={(event) => {
              setBecause(event.currentTarget.value)
            }}
          />
          <div className="row">
            <Button
              disabled={whyNot !== undefined}
              loading={props.loading}
              onClick={() => {
                props.onDecide(because, close)
              }}
            >
              {props.act}
            </Button>
            <Button variant="default" onClick={close}>
              Leave it as it is
            </Button>
          </div>
          {whyNot === undefined ? null : <p className="why-off">{whyNot}</p>}
        </div>
      </Modal>
    </>
  )
}
