import { Button, Progress } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { AuditOf } from '../../audit/web/index.tsx'
import { routes as consent } from '../../consent/contract.ts'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { count, plural } from '../../../ui/format.tsx'
import { Ask, Card, Facts, ObjectLayout, Page, Table, useParam } from '../../../ui/page.tsx'
import { Mark } from '../../../ui/signal.tsx'
import { SureButton } from '../../../ui/sure.tsx'
import { consentWithoutTopic, keepDays, looksLikeConsent, routes, type Column, type Import } from '../contract.ts'
import { FormatCard } from './FormatCard.tsx'
import { stateWords } from './ImportsPage.tsx'
import { MeaningSelect } from './MeaningSelect.tsx'

const touches = ['/api/imports', '/api/audit']

export function ImportPage() {
  const id = useParam('id')
  const found = useRoute(routes.get, { params: { id } }, { everyMs: 1_000 })
  return (
    <Ask of={found} shape="page">
      {(now) => <Shown now={now} />}
    </Ask>
  )
}

function Shown({ now }: { now: Import }) {
  const params = { id: now.id }
  const plan = useDeed(routes.plan, { touches })
  const check = useDeed(routes.check, { touches })
  const run = useDeed(routes.run, { touches })
  const cancel = useDeed(routes.cancel, {
    touches,
    done:
      now.state === 'running'
        ? 'Stopped. What was stored stays; the file is deleted. Hand it in again to go on: nothing is stored twice.'
        : 'Stopped. Nothing was stored.',
  })
  const [columns, setColumns] = useState<Column[] | undefined>()
  const busy = now.state === 'checking' || now.state === 'running'
  const fixed = busy || now.fileUntil === null
  const shown = columns ?? now.columns
  const save = (next: Column[], format = now.format) => {
    setColumns(next)
    plan.mutate(
      { params, body: { format, columns: next.map(({ index, type, meaning }) => ({ index, type, meaning })) } },
      {
        onSettled: () => {
          setColumns(undefined)
        },
      },
    )
  }
  const notRead = now.state === 'uploaded' || now.state === 'checking' || now.state === 'checked'
  const identifiers = shown.filter((column) => column.meaning.kind === 'identifier')
  const agrees = shown.filter(({ meaning }) => meaning.kind === 'consent' && meaning.part === 'state')
  const [without] = consentWithoutTopic(shown)
  const whyNot =
    identifiers.length === 0
      ? 'Mark a column as identifier first.'
      : without === undefined
        ? undefined
        : `Choose to which topic “${without.name}” agrees, or leave it out.`
  const topics = useRoute(consent.topics, {}, { enabled: agrees.length > 0 })
  const nameOf = (topic: string) => topics.data?.find((one) => one.id === topic)?.name ?? topic
  const consents = now.counts?.consents ?? []
  return (
    <ObjectLayout panel={{ Audit: <AuditOf kind="import" id={now.id} /> }}>
      <Page
        title={now.fileName}
        crumbs={[
          { label: 'Sources', to: '/sources' },
          { label: 'Imports', to: '/imports' },
        ]}
        sub={`${now.mapped === null ? '' : `Read as the last file with these columns was, as ${now.mapped.by} meant it on ${now.mapped.at.slice(0, 10)}. `}${sizeOf(now.bytes)} into “${now.sourceName}”, handed in by ${now.startedBy}. ${
          now.fileUntil === null
            ? 'The file is deleted.'
            : notRead
              ? `The file is kept for ${String(keepDays)} days after it was read in; left as it is, it is deleted on ${now.fileUntil.slice(0, 10)}.`
              : `The file is deleted on ${now.fileUntil.slice(0, 10)}, ${String(keepDays)} days after the import is over.`
        }`}
        sentence={sentenceOf(now)}
        actions={
          busy ? (
            <Button
              variant="default"
              onClick={() => {
                cancel.mutate({ params })
              }}
            >
              Stop
            </Button>
          ) : now.fileUntil === null ? null : (
            <>
              <Button
                variant="default"
                loading={check.isPending}
                disabled={whyNot !== undefined}
                title={whyNot}
                onClick={() => {
                  check.mutate({ params })
                }}
              >
                Try it dry
              </Button>
              <SureButton
                label="Read it in"
                variant="filled"
                loading={run.isPending}
                disabled={whyNot !== undefined}
                title={whyNot}
                says={
                  <div className="stack">
                    <p>
                      Its rows become events of “{now.sourceName}”, and people are made and joined by them. That cannot
                      be undone; reading the same file again stores nothing twice. “Try it dry” shows first what would
                      happen.
                    </p>
                    {agrees.length === 0 ? null : (
                      <p>
                        <b>
                          {now.state === 'checked'
                            ? consentSentence(consents, nameOf, 'will be')
                            : `${agrees.map((column) => `“${column.name}”`).join(' and ')} ${agrees.length === 1 ? 'is' : 'are'} read as consent: tried dry, it shows how many will be recorded.`}
                        </b>{' '}
                        File and line are kept as the proof.
                      </p>
                    )}
                  </div>
                }
                onSure={() => {
                  run.mutate({ params })
                }}
              />
            </>
          )
        }
      >
        {now.looksLike === null ? null : (
          <p>
            {now.looksLike.says}
            {now.format.rows === 'people'
              ? ''
              : ' What its columns mean below is only what they say about the person beside that.'}
          </p>
        )}
        {busy ? (
          <Progress aria-label="Read so far" value={(now.bytesRead / Math.max(1, now.bytes)) * 100} animated />
        ) : null}
        {now.counts === null ? null : (
          <Card
            title={now.state === 'checked' || now.state === 'checking' ? 'What would happen' : 'What happened'}
            aside="rows = went in + unchanged + put aside + rejected"
          >
            <div className="numbers">
              {(
                [
                  ['rows', 'Rows'],
                  ['sent', now.state === 'checked' || now.state === 'checking' ? 'Would go in' : 'Went in'],
                  ['unchanged', 'Unchanged'],
                  ['quarantined', 'Put aside'],
                  ['rejected', 'Rejected'],
                  ['withProblems', 'With cells unread'],
                ] as const
              ).map(([key, label]) => (
                <div key={key}>
                  <b>{count(now.counts?.[key] ?? 0)}</b>
                  <span className="secondary">{label}</span>
                </div>
              ))}
            </div>
            {now.format.rows === 'people' ? null : (
              <p>
                {plural(now.counts.sent, 'row is', 'rows are')} {plural(now.counts.orders, 'order', 'orders')}: the
                lines of an order share its fate.
              </p>
            )}
            {agrees.length === 0 ? null : (
              <p>
                {consentSentence(
                  consents,
                  nameOf,
                  now.state === 'checked' ? 'will be' : now.state === 'done' ? 'were' : 'are',
                )}{' '}
                Proof: file and line.
              </p>
            )}
            {now.counts.quarantined === 0 ? null : (
              <p>
                What was put aside stands in the <Link to="/sources/quarantine">quarantine</Link>, with the reason.
              </p>
            )}
            {now.counts.reasons.length === 0 ? null : (
              <Facts
                rows={now.counts.reasons.map((reason) => ({
                  label: plural(reason.rows, 'row', 'rows'),
                  says: reason.reason,
                  key: reason.reason,
                }))}
              />
            )}
          </Card>
        )}
        {now.worst.length === 0 ? null : (
          <Card title="The worst rows">
            <Table label="The worst rows" head={['Line', 'What is wrong', 'Cells']}>
              {now.worst.map((row) => (
                <tr key={row.line}>
                  <td>{row.line}</td>
                  <td>
                    {row.rejected ? (
                      <Mark is="fail">{row.problems.join('; ')}</Mark>
                    ) : (
                      <Mark is="warn">{row.problems.join('; ')}</Mark>
                    )}
                  </td>
                  <td>
                    <code>{row.cells.join(' | ').slice(0, 200)}</code>
                  </td>
                </tr>
              ))}
            </Table>
          </Card>
        )}
        <FormatCard
          format={now.format}
          looksLike={now.looksLike}
          fixed={fixed}
          onChange={(format) => {
            save(now.columns, format)
          }}
        />
        <Card
          title="What the columns mean"
          aside={
            identifiers.length === 0
              ? 'no identifier yet'
              : `identified by ${identifiers.map((column) => column.name).join(', ')}`
          }
        >
          <Table label="Columns" head={['Column', 'Looks like', 'Filled', 'Samples', 'Means']} right={[2]}>
            {shown.map((column) => {
              return (
                <tr key={column.index}>
                  <td>
                    <b>{column.name}</b>
                  </td>
                  <td>{column.type}</td>
                  <td className="right">{Math.round(column.filled * 100)}%</td>
                  <td>
                    <span className="secondary">{column.samples.slice(0, 3).join(' · ').slice(0, 90)}</span>
                  </td>
                  <td>
                    <MeaningSelect
                      column={column}
                      nothing={now.format.rows === 'people' ? undefined : 'nothing beside the order'}
                      disabled={fixed}
                      onChange={(meaning) => {
                        save(shown.map((other) => (other.index === column.index ? { ...other, meaning } : other)))
                      }}
                    />
                  </td>
                </tr>
              )
            })}
          </Table>
        </Card>
      </Page>
    </ObjectLayout>
  )
}

/** “26 consents to topic News will be recorded.” */
function consentSentence(
  consents: NonNullable<Import['counts']>['consents'],
  nameOf: (topic: string) => string,
  how: 'will be' | 'are' | 'were',
): string {
  const parts = consents.flatMap(({ topic, given, withdrawn }) => [
    ...(given === 0 ? [] : [`${plural(given, 'consent', 'consents')} to topic ${nameOf(topic)}`]),
    ...(withdrawn === 0 ? [] : [`${plural(withdrawn, 'withdrawal', 'withdrawals')} from topic ${nameOf(topic)}`]),
  ])
  const [only] = consents
  const one = parts.length === 1 && only !== undefined && only.given + only.withdrawn === 1
  const be = how === 'will be' ? how : one ? (how === 'were' ? 'was' : 'is') : how
  return parts.length === 0
    ? `No new consent ${how === 'will be' ? how : how === 'were' ? 'was' : 'is'} recorded.`
    : `${parts.join(' and ')} ${be} recorded.`
}

const sizeOf = (bytes: number) =>
  bytes < 1_048_576 ? `${String(Math.ceil(bytes / 1_024))} kB` : `${(bytes / 1_048_576).toFixed(1)} MB`

function sentenceOf(now: Import): string {
  const rows = count(now.counts?.rows ?? 0)
  if (now.state === 'failed') return now.because ?? 'It failed; running it again stores nothing twice.'
  if (now.state === 'checking' || now.state === 'running') return `It is ${stateWords[now.state]}: ${rows} rows so far.`
  if (now.state === 'done')
    return `${count(now.counts?.sent ?? 0)} of ${rows} rows went in; ${count(now.counts?.unchanged ?? 0)} were here already as they are, ${count(now.counts?.quarantined ?? 0)} were put aside, ${count(now.counts?.rejected ?? 0)} were rejected.`
  if (now.state === 'checked')
    return `Tried dry: ${count(now.counts?.sent ?? 0)} of ${rows} rows would go in. Nothing was stored.`
  if (now.state === 'cancelled')
    return 'It was stopped, and its file was deleted. Hand it in again to go on: what is here already is not stored twice.'
  if (!now.columns.some((column) => column.meaning.kind === 'identifier'))
    return 'No column says whom a row is about. Mark one as identifier below, then it can be tried and read in.'
  const [without] = consentWithoutTopic(now.columns)
  if (without !== undefined) return `“${without.name}” says whether people agreed. Choose below to which topic.`
  const [maybe] = now.columns.filter(looksLikeConsent)
  if (maybe !== undefined)
    return `“${maybe.name}” looks like consent and is read as ${maybe.meaning.kind === 'trait' ? 'a trait' : 'nothing'}: no consent is recorded from it unless you choose a topic for it below.`
  return 'Look whether it is read as you mean it, try it dry, then read it in.'
}
