import { Button } from '@mantine/core'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { Rule } from '../../../lib/mapping/mapping.ts'
import { Mark } from '../../../ui/signal.tsx'
import { pathsOf } from './body-paths.ts'
import { PathInput } from './FieldInput.tsx'
import { RuleFields } from './RuleFields.tsx'
import { mappingOf, withMoved, withNewRule, withRule, type Form, type FormProblem, type FormRule } from './rule-form.ts'
import { becomes, conditionsInWords, inWords, withWhat } from './rule-words.ts'

/** Names of headers in which known senders say what a message is about; headers are not among the bodies. */
const topicHeaders = ['header.x-shopify-topic', 'header.x-wc-webhook-topic', 'header.x-github-event']

/** The rules of a mapping as a form: each a sentence that opens. */
export function RulesForm(props: {
  form: Form
  change: (form: Form) => void
  problems: readonly FormProblem[]
  /** The last bodies as text, the newest first. */
  bodies: readonly string[]
  topics: readonly string[]
}) {
  const { form, change, problems, bodies, topics } = props
  const { paths } = useMemo(() => pathsOf(bodies), [bodies])
  const [open, setOpen] = useState<number | undefined>(() => (form.rules.length === 1 ? form.rules[0]?.key : undefined))
  const [out, setOut] = useState<{ rule: FormRule; at: number }>()
  const [says, setSays] = useState('')
  // What is focused after a deed that moved or removed the button which did it.
  const root = useRef<HTMLDivElement>(null)
  const focus = useRef<string>(undefined)
  useEffect(() => {
    const deed = focus.current
    if (deed === undefined) return
    focus.current = undefined
    const find = (name: string) => root.current?.querySelector<HTMLElement>(`[data-deed="${name}"]:not([disabled])`)
    const wanted = find(deed) ?? find(deed.replace(/^\S+/, 'open'))
    wanted?.focus()
  })
  const hasTopic = 'said' in form.topic || form.topic.path !== ''
  const said = mappingOf(form).rules

  function move(rule: FormRule, at: number, by: 1 | -1) {
    change(withMoved(form, rule.key, by))
    setSays(`Rule ${String(at + 1)} is rule ${String(at + 1 + by)} of ${String(form.rules.length)} now.`)
    focus.current = `${by < 0 ? 'up' : 'down'} ${String(rule.key)}`
  }
  function takeOut(rule: FormRule, at: number) {
    setOut({ rule, at })
    setSays(`Rule ${String(at + 1)} was taken out.`)
    change({ ...form, rules: form.rules.filter((one) => one.key !== rule.key) })
    focus.current = 'back'
  }
  function add() {
    const next = withNewRule(form, paths)
    const key = next.rules.at(-1)?.key ?? 0
    change(next)
    setOpen(key)
    setSays(`Rule ${String(next.rules.length)} is new.`)
    focus.current = `open ${String(key)}`
  }
  return (
    <div className="stack" ref={root}>
      {'said' in form.topic ? (
        <p className="breaks">
          What a message is about: {inWords(form.topic.said)}{' '}
          <span className="secondary">(said in text, stays as it is)</span>
        </p>
      ) : (
        <div className="condition">
          <PathInput
            label="The field that says what a message is about, if one does"
            placeholder="event, type, form_name or header.x-topic"
            value={form.topic.path}
            paths={[...paths, ...topicHeaders.map((path) => ({ path, sample: '' }))]}
            onChange={(path) => {
              change({ ...form, topic: { path } })
            }}
          />
        </div>
      )}
      <p className="secondary">Every rule that fits a message makes a call of it, in this order.</p>
      {form.rules.map((rule, at) => {
        const number = String(at + 1)
        const isOpen = open === rule.key
        const mapped = said[at]
        return (
          <section key={rule.key} className="group" aria-label={`Rule ${number}`}>
            <div className="row">
              <h3 className="grow breaks">
                {number}. {rule.topics.length === 0 ? 'Anything' : rule.topics.join(', ')} →{' '}
                {mapped === undefined ? '' : becomes(mapped)}
              </h3>
              <Button
                size="compact-sm"
                variant="default"
                data-deed={`open ${String(rule.key)}`}
                aria-expanded={isOpen}
                aria-label={`${isOpen ? 'Close' : 'Change'} rule ${number}`}
                onClick={() => {
                  setOpen(isOpen ? undefined : rule.key)
                }}
              >
                {isOpen ? 'Close' : 'Change'}
              </Button>
              <Button
                size="compact-sm"
                variant="default"
                data-deed={`up ${String(rule.key)}`}
                aria-label={`Move rule ${number} up`}
                title={at === 0 ? 'It is the first.' : undefined}
                disabled={at === 0}
                onClick={() => {
                  move(rule, at, -1)
                }}
              >
                Up
              </Button>
              <Button
                size="compact-sm"
                variant="default"
                data-deed={`down ${String(rule.key)}`}
                aria-label={`Move rule ${number} down`}
                title={at === form.rules.length - 1 ? 'It is the last.' : undefined}
                disabled={at === form.rules.length - 1}
                onClick={() => {
                  move(rule, at, 1)
                }}
              >
                Down
              </Button>
              <Button
                size="compact-sm"
                variant="default"
                aria-label={`Take out rule ${number}`}
                onClick={() => {
                  takeOut(rule, at)
                }}
              >
                Take out
              </Button>
            </div>
            {isOpen ? (
              <RuleFields
                rule={rule}
                bodies={bodies}
                topics={topics}
                hasTopic={hasTopic}
                change={(next) => {
                  change({ ...form, rules: form.rules.map((one) => (one.key === next.key ? next : one)) })
                }}
              />
            ) : mapped === undefined ? null : (
              <Closed rule={mapped} />
            )}
            {problems
              .filter((one) => one.rule === rule.key)
              .map((one) => (
                <p key={one.says}>
                  <Mark is="warn">{one.says}</Mark>
                </p>
              ))}
          </section>
        )
      })}
      <div className="row">
        <Button variant="default" onClick={add}>
          Add a rule
        </Button>
        {out === undefined ? null : (
          <>
            <span>Rule {out.at + 1} was taken out.</span>
            <Button
              variant="subtle"
              data-deed="back"
              onClick={() => {
                const back = withRule(form, out.rule, out.at)
                change(back)
                setOut(undefined)
                setSays(`Rule ${String(out.at + 1)} is back.`)
                focus.current = `open ${String(back.rules[out.at]?.key ?? 0)}`
              }}
            >
              Put it back
            </Button>
          </>
        )}
        <span className="hidden" role="status">
          {says}
        </span>
      </div>
    </div>
  )
}

function Closed({ rule }: { rule: Rule }) {
  const sentences = [
    ...(rule.when.length === 0 ? [] : [`Only when ${conditionsInWords(rule.when)}.`]),
    ...(withWhat(rule) === '' ? [] : [`With ${withWhat(rule)}.`]),
  ]
  return sentences.length === 0 ? null : <p className="secondary breaks">{sentences.join(' ')}</p>
}
