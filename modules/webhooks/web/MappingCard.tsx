import { Button, Select, Textarea } from '@mantine/core'
import { useEffect, useMemo, useState } from 'react'
import { Mapping, type Rule } from '../../../lib/mapping/mapping.ts'
import { call, Problem, useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, plural } from '../../../ui/format.tsx'
import { Card, Table } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { routes, type Hook, type Previewed } from '../contract.ts'
import { touches } from './WebhooksPage.tsx'

const written = (mapping: Mapping) => JSON.stringify(mapping, null, 2)
const pauseMs = 500

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

/** The mapping as sentences and as text, tried on the last bodies while it is written. */
export function MappingCard({ hook }: { hook: Hook }) {
  const [text, setText] = useState(written(hook.mapping))
  const [open, setOpen] = useState(false)
  const presets = useRoute(routes.presets)
  const versions = useRoute(routes.versions, { params: { id: hook.id } })
  const save = useDeed(routes.mapping, { touches, done: (now) => `Kept as version ${String(now.version)}.` })
  const now = useMemo(() => read(text), [text])
  const changed = text !== written(hook.mapping)
  const beginnings = [
    ...(presets.data ?? []).map((one) => ({ value: `preset ${one.name}`, label: one.label, mapping: one.mapping })),
    ...(versions.data ?? []).map((one) => ({
      value: `version ${String(one.version)}`,
      label: `Version ${String(one.version)}, by ${one.by}`,
      mapping: one.mapping,
    })),
  ]
  return (
    <Card title="What its messages mean" aside={`version ${String(hook.version)}`}>
      <div className="stack">
        {'mapping' in now ? <Rules rules={now.mapping.rules} /> : null}
        <div className="row">
          <Button
            variant="default"
            aria-expanded={open}
            onClick={() => {
              setOpen(!open)
            }}
          >
            {open ? 'Hide the rules as text' : 'Change the rules'}
          </Button>
        </div>
        {open ? (
          <>
            <Select
              label="Begin with"
              placeholder="a mapping that is ready, or an earlier version"
              data={beginnings.map(({ value, label }) => ({ value, label }))}
              value={null}
              onChange={(value) => {
                const chosen = beginnings.find((one) => one.value === value)
                if (chosen !== undefined) setText(written(chosen.mapping))
              }}
            />
            <Textarea
              label="The rules"
              description="Data, never a program: paths such as customer.email, and the operators first, join, number, sum, sumOf, absolute, time, text, lower, choose, list and pluck. The guide explains each."
              error={'wrong' in now ? now.wrong : undefined}
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
            <div className="row">
              <Button
                disabled={!changed || 'wrong' in now}
                title={!changed ? 'Nothing is changed.' : 'wrong' in now ? now.wrong : undefined}
                loading={save.isPending}
                onClick={() => {
                  if ('mapping' in now) save.mutate({ params: { id: hook.id }, body: { mapping: now.mapping } })
                }}
              >
                Keep as version {hook.version + 1}
              </Button>
              <Button
                variant="default"
                disabled={!changed}
                title={!changed ? 'Nothing is changed.' : undefined}
                onClick={() => {
                  setText(written(hook.mapping))
                }}
              >
                Back to version {hook.version}
              </Button>
            </div>
          </>
        ) : null}
        {'mapping' in now && hook.counts.received > 0 ? (
          <Tried key={hook.counts.received} id={hook.id} mapping={now.mapping} />
        ) : null}
      </div>
    </Card>
  )
}

function Rules({ rules }: { rules: readonly Rule[] }) {
  return (
    <Table label="Rules" head={['When it is about', 'It becomes', 'With']}>
      {rules.map((rule, at) => (
        <tr key={at}>
          <td>
            {rule.topics.length === 0 ? 'anything' : rule.topics.join(', ')}
            {rule.when.length > 0 ? <span className="secondary"> (with conditions)</span> : null}
          </td>
          <td>{becomes(rule)}</td>
          <td className="secondary">{withWhat(rule)}</td>
        </tr>
      ))}
    </Table>
  )
}

function becomes(rule: Rule): string {
  if (rule.type === 'nothing') return 'nothing: it says nothing about people'
  if (rule.type === 'asItIs') return 'the tracking call that it is'
  const event = rule.fields['event']
  const named = (of: unknown): string => {
    if (typeof of !== 'object' || of === null) return ''
    if ('value' in of) return `“${String(of.value)}”`
    if ('choose' in of && 'from' in of)
      return Object.values(of.from as object)
        .map((one) => `“${String(one)}”`)
        .join(' or ')
    return ''
  }
  return `${rule.type} ${named(event)}${rule.each === undefined ? '' : `, one for each of ${rule.each}`}`.trim()
}
function withWhat(rule: Rule): string {
  const names = [
    ...Object.keys(rule.identifiers),
    ...Object.keys(rule.fields)
      .filter((name) => /^(properties|traits)[.]/.test(name))
      .map((name) => name.replace(/^(properties|traits)[.]/, '')),
  ]
  return names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${String(names.length - 8)} more` : names.join(', ')
}

/** @param id of the hook */
function Tried({ id, mapping }: { id: string; mapping: Mapping }) {
  const [tried, setTried] = useState<Previewed[]>()
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    const stop = new AbortController()
    const timer = setTimeout(() => {
      call(routes.preview, { params: { id }, body: { mapping } }, stop.signal)
        .then((rows) => {
          setTried(rows)
          setProblem(undefined)
        })
        .catch((error: unknown) => {
          if (error instanceof Problem) setProblem(error.message)
        })
    }, pauseMs)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [id, mapping])
  if (problem !== undefined) return <Mark is="fail">{problem}</Mark>
  if (tried === undefined || tried.length === 0) return null
  return (
    <div className="stack">
      <p>On the last {plural(tried.length, 'body', 'bodies')}, these rules make (nothing is stored by looking):</p>
      {tried.map((one) => (
        <details key={one.id}>
          <summary>
            {one.topic === '' ? 'a body' : one.topic}, <Ago at={one.receivedAt} />:{' '}
            {one.problem === null ? plural(one.calls.length, 'call', 'calls') : <Mark is="warn">{one.problem}</Mark>}
          </summary>
          <pre>
            <code>{JSON.stringify(one.calls, null, 2)}</code>
          </pre>
          <p className="secondary">It came as</p>
          <pre>
            <code>{one.body}</code>
          </pre>
        </details>
      ))}
    </div>
  )
}
