import { Button, Select, Textarea } from '@mantine/core'
import { useMemo, useState } from 'react'
import { Mapping, type Rule } from '../../../lib/mapping/mapping.ts'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Card, Empty, Table } from '../../../ui/page.tsx'
import { routes, type Hook, type Previewed } from '../contract.ts'
import { formOf, isSame, mappingOf, problemsOf, triedOf, type Form } from './rule-form.ts'
import { becomes, conditionsInWords, withWhat } from './rule-words.ts'
import { RulesForm } from './RulesForm.tsx'
import { Tried, usePreview } from './Tried.tsx'
import { touches } from './WebhooksPage.tsx'

const written = (mapping: Mapping) => JSON.stringify(mapping, null, 2)

/** What the text says, or the first thing that is wrong with it. */
function read(text: string): { mapping: Mapping } | { wrong: string } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { wrong: `It is not JSON: ${error instanceof Error ? error.message : ''}` }
  }
  const parsed = Mapping.safeParse(value)
  if (parsed.success) return { mapping: parsed.data }
  const [issue] = parsed.error.issues
  return { wrong: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it is no mapping'}` }
}

/** What is being written: in the form, or as text. One becomes the other only when it is whole, so that nothing is lost on the way. */
type Draft = { form: Form } | { text: string }

function saidBy(draft: Draft): { mapping: Mapping | undefined; wrong: string | undefined; toTry: Mapping | undefined } {
  if ('text' in draft) {
    const now = read(draft.text)
    return 'mapping' in now
      ? { mapping: now.mapping, wrong: undefined, toTry: now.mapping }
      : { mapping: undefined, wrong: now.wrong, toTry: undefined }
  }
  const parsed = Mapping.safeParse(mappingOf(draft.form))
  const toTry = Mapping.safeParse(triedOf(draft.form))
  return {
    mapping: parsed.success ? parsed.data : undefined,
    wrong: problemsOf(draft.form)[0]?.says,
    toTry: toTry.success ? toTry.data : undefined,
  }
}

/** The mapping as sentences, as a form and as text, tried on the last bodies while it is written. */
export function MappingCard({ hook }: { hook: Hook }) {
  const [draft, setDraft] = useState<Draft>(() => ({ form: formOf(hook.mapping) }))
  const [open, setOpen] = useState(false)
  const save = useDeed(routes.mapping, { touches, done: (now) => `Kept as version ${String(now.version)}.` })
  const { mapping, wrong, toTry } = useMemo(() => saidBy(draft), [draft])
  const preview = usePreview(hook, toTry)
  const changed = wrong !== undefined || mapping === undefined || !isSame(mapping, hook.mapping)
  const whyNot = wrong ?? (changed ? undefined : 'Nothing is changed.')
  const begin = (from: Mapping) => {
    setDraft('text' in draft ? { text: written(from) } : { form: formOf(from) })
  }
  return (
    <Card title="What its messages mean" aside={`version ${String(hook.version)}`}>
      <div className="stack">
        {open || mapping === undefined ? null : <Rules rules={mapping.rules} />}
        <div className="row">
          <Button
            variant="default"
            aria-expanded={open}
            onClick={() => {
              setOpen(!open)
            }}
          >
            {open ? 'Hide the rules' : 'Change the rules'}
          </Button>
          {open ? <OtherWay draft={draft} mapping={mapping} wrong={wrong} setDraft={setDraft} /> : null}
        </div>
        {open ? (
          <>
            <Waiting hook={hook} tried={preview.tried} />
            <Beginnings hook={hook} begin={begin} />
            {'text' in draft ? (
              <AsText
                text={draft.text}
                wrong={wrong}
                setText={(text) => {
                  setDraft({ text })
                }}
              />
            ) : (
              <AsForm
                hook={hook}
                form={draft.form}
                tried={preview.tried}
                setForm={(form) => {
                  setDraft({ form })
                }}
              />
            )}
            <div className="row">
              <Button
                disabled={whyNot !== undefined || mapping === undefined}
                loading={save.isPending}
                onClick={() => {
                  if (mapping !== undefined) save.mutate({ params: { id: hook.id }, body: { mapping } })
                }}
              >
                Keep as version {hook.version + 1}
              </Button>
              <Button
                variant="default"
                disabled={!changed}
                onClick={() => {
                  begin(hook.mapping)
                }}
              >
                Back to version {hook.version}
              </Button>
              {whyNot === undefined ? null : <p className="why-off">{whyNot}</p>}
            </div>
          </>
        ) : null}
        {hook.counts.received > 0 ? <Tried {...preview} /> : null}
      </div>
    </Card>
  )
}

/** From the form to the text and back. */
function OtherWay(props: {
  draft: Draft
  mapping: Mapping | undefined
  wrong: string | undefined
  setDraft: (draft: Draft) => void
}) {
  const { draft, mapping, wrong, setDraft } = props
  const isText = 'text' in draft
  const off = wrong !== undefined || mapping === undefined
  return (
    <>
      <Button
        variant="subtle"
        disabled={off}
        onClick={() => {
          if (mapping !== undefined) setDraft(isText ? { form: formOf(mapping) } : { text: written(mapping) })
        }}
      >
        {isText ? 'Change in the form' : 'Change as text'}
      </Button>
      {off ? (
        <p className="why-off">
          {isText ? 'The form opens when the text can be read.' : 'The text opens when every rule is whole.'}
        </p>
      ) : null}
    </>
  )
}

/** What the form is filled from, while there is nothing. */
function Waiting({ hook, tried }: { hook: Hook; tried: readonly Previewed[] | undefined }) {
  if (hook.counts.received > 0 && tried?.length !== 0) return null
  return (
    <Empty
      sentence={
        hook.counts.received === 0
          ? 'Send a test from the other system to the address above: its fields are offered here as soon as it came. Or begin with a mapping that is ready.'
          : 'Nothing that came could be checked, so there are no fields to offer: look at the secret, and send a test again. Or begin with a mapping that is ready.'
      }
      example={
        <span className="breaks">
          <code>{'{"email": "asa@example.org", "wants": "news"}'}</code> becomes the event “Form Sent” of
          asa@example.org, with <code>wants</code>.
        </span>
      }
    />
  )
}

function Beginnings({ hook, begin }: { hook: Hook; begin: (mapping: Mapping) => void }) {
  const presets = useRoute(routes.presets)
  const versions = useRoute(routes.versions, { params: { id: hook.id } })
  const beginnings = [
    ...(presets.data ?? []).map((one) => ({ value: `preset ${one.name}`, label: one.label, mapping: one.mapping })),
    ...(versions.data ?? []).map((one) => ({
      value: `version ${String(one.version)}`,
      label: `Version ${String(one.version)}, by ${one.by}`,
      mapping: one.mapping,
    })),
  ]
  return (
    <Select
      label="Begin with"
      placeholder="a mapping that is ready, or an earlier version"
      data={beginnings.map(({ value, label }) => ({ value, label }))}
      value={null}
      onChange={(value) => {
        const chosen = beginnings.find((one) => one.value === value)
        if (chosen !== undefined) begin(chosen.mapping)
      }}
    />
  )
}

const none: readonly Previewed[] = []

function AsForm(props: {
  hook: Hook
  form: Form
  tried: readonly Previewed[] | undefined
  setForm: (form: Form) => void
}) {
  const { hook, form, tried = none, setForm } = props
  const deliveries = useRoute(routes.deliveries, { params: { id: hook.id } })
  const bodies = useMemo(() => tried.map(({ body }) => body), [tried])
  // What was seen before was read by the topic that is kept; another one finds other words.
  const isKept = JSON.stringify(mappingOf(form).topic) === JSON.stringify(hook.mapping.topic)
  const seen = [...tried, ...(isKept ? (deliveries.data ?? []) : [])].map(({ topic }) => topic)
  const topics = [...new Set(seen)].filter((topic) => topic !== '').sort()
  return <RulesForm form={form} change={setForm} problems={problemsOf(form)} bodies={bodies} topics={topics} />
}

function AsText({
  text,
  wrong,
  setText,
}: {
  text: string
  wrong: string | undefined
  setText: (text: string) => void
}) {
  return (
    <Textarea
      label="The rules"
      description="Data, never a program: paths such as customer.email, and the operators first, join, number, sum, sumOf, absolute, time, text, lower, choose, list and pluck. The guide explains each."
      error={wrong}
      autosize
      minRows={12}
      maxRows={28}
      spellCheck={false}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 13 } }}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value)
      }}
    />
  )
}

function Rules({ rules }: { rules: readonly Rule[] }) {
  return (
    <Table label="Rules" head={['When it is about', 'It becomes', 'With']}>
      {rules.map((rule, at) => (
        <tr key={at}>
          <td>
            {rule.topics.length === 0 ? 'anything' : rule.topics.join(', ')}
            {rule.when.length > 0 ? (
              <span className="secondary"> (only when {conditionsInWords(rule.when)})</span>
            ) : null}
          </td>
          <td>{becomes(rule)}</td>
          <td className="secondary">{withWhat(rule)}</td>
        </tr>
      ))}
    </Table>
  )
}
