import { Button, Modal, Textarea } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { routes as accounts } from '../../accounts/contract.ts'
import { AuditOf } from '../../audit/web/index.tsx'
import { useDeed, useRoute } from '../../../ui/api.ts'
import { Ago, moment, plural, Timed } from '../../../ui/format.tsx'
import { Ask, Card, Facts, ObjectLayout, Page, useParam } from '../../../ui/page.tsx'
import { Avatar, FieldChip, Lamp, laneNeeds, Mark, Signal, type Lane } from '../../../ui/signal.tsx'
import { SureButton } from '../../../ui/sure.tsx'
import { routes, type RequestView } from '../contract.ts'
import { KeyCard } from './KeyCard.tsx'

const touches = ['/api/requests', '/api/cockpit', '/api/broadcasts', '/api/audit']

/** Everything about one request: what it does, why it needs which keys, who can give them, what would make it pass. */
/** The kind of a request as a word at the beginning of a line. */
const wordOf = (kind: string) => `${kind.charAt(0).toUpperCase()}${kind.slice(1).replaceAll('_', ' ')}`

export function RequestPage() {
  const id = useParam('id')
  const found = useRoute(routes.get, { params: { id } }, { everyMs: 10_000 })
  return (
    <Ask of={found} shape="page">
      {(request) => <Shown request={request} />}
    </Ask>
  )
}

function Shown({ request }: { request: RequestView }) {
  const me = useRoute(accounts.me)
  const params = { id: request.id }
  const launch = useDeed(routes.launch, { touches, done: 'It goes live now.' })
  const withdraw = useDeed(routes.withdraw, { touches, done: 'The request is taken back.' })
  const preflight = useDeed(routes.preflight, { touches, done: 'All checks ran again.' })
  const [ways, setWays] = useState(false)
  const open = request.state === 'waiting' || request.state === 'ready'
  const { verdict } = request
  return (
    <ObjectLayout
      panel={{
        Conversation: <Conversation request={request} />,
        Changes: <Changes request={request} />,
        Agreement: <Agreement request={request} />,
        Audit: <AuditOf kind="request" id={request.id} />,
      }}
    >
      <Page
        title={request.title}
        crumbs={[
          { label: 'Requests', to: '/requests' },
          { label: wordOf(request.kind), to: request.href },
        ]}
        sub={
          <>
            Asked by {request.requester.name}, <Ago at={request.openedAt} /> · <Timed text={request.sub} />
          </>
        }
        actions={
          <>
            <Button component={Link} to={request.href} variant="default">
              See what it sends
            </Button>
            {request.reportHref === null ? null : (
              <Button component={Link} to={request.reportHref} variant="default">
                See the report
              </Button>
            )}
            <SureButton
              label="Launch"
              variant="filled"
              disabled={!request.launch.possible}
              title={open ? request.launch.because : undefined}
              loading={launch.isPending}
              act="Let it go live"
              says={<Goes request={request} />}
              onSure={() => {
                launch.mutate({ params, body: { releaseHash: request.releaseHash } })
              }}
            />
          </>
        }
      >
        <Card>
          <div className="verdict">
            <Signal {...aspectOf(request)} />
            <div>
              <p className="sentence">{emphasised(request.sentence)}</p>
              {open && verdict.ways.length > 0 ? <p className="ways">{verdict.ways[0]?.say}</p> : null}
              {open ? <p className="ways">{nextOf(request)}</p> : null}
              {open && request.preflight.some((check) => check.result === 'fail' && check.href !== undefined) ? (
                <p className="ways row">
                  {request.preflight
                    .filter((check) => check.result === 'fail')
                    .map((check) =>
                      check.href === undefined ? null : (
                        <Link key={check.name} to={check.href}>
                          Mend “{check.name}”
                        </Link>
                      ),
                    )}
                </p>
              ) : null}
            </div>
            <div className="row">
              {open && verdict.ways.length > 0 ? (
                <Button
                  variant="default"
                  onClick={() => {
                    setWays(true)
                  }}
                >
                  Make it {verdict.ways[0]?.lane}
                </Button>
              ) : null}
              {request.canWithdraw ? (
                <SureButton
                  label="Take it back"
                  loading={withdraw.isPending}
                  says={
                    request.state === 'live'
                      ? 'The rest stops within one batch; what is out is out. Going on needs a new request and new keys.'
                      : 'The request ends and its keys with it. That cannot be undone; asking again begins anew.'
                  }
                  onSure={() => {
                    withdraw.mutate({ params })
                  }}
                />
              ) : null}
            </div>
          </div>
        </Card>
        {request.coolsOff === null ? null : (
          <Card title="A day to cool off" aside={<>until {moment(request.coolsOff.until)}</>}>
            <p>It lasts {request.coolsOff.says}</p>
          </Card>
        )}
        {request.keys.length === 0 ? (
          <Card title="No key is needed">
            <p>{verdict.because}</p>
          </Card>
        ) : (
          <div className="cards">
            {request.keys.map((slot) => (
              <KeyCard key={slot.kind} request={request} slot={slot} me={me.data} />
            ))}
          </div>
        )}
        <div className="cards">
          <Card title="What it does" aside="computed, not declared">
            <Facts
              rows={request.does.map((row) => ({
                label: row.label,
                says:
                  row.fields === undefined ? (
                    <Timed text={row.says} />
                  ) : (
                    row.fields.map((field) => (
                      <FieldChip key={field.label} label={field.label} sensitivity={field.sensitivity} />
                    ))
                  ),
              }))}
            />
          </Card>
          <Card
            title="Preflight"
            aside={
              request.preflightAt === null ? (
                'runs now'
              ) : (
                <>
                  all run <Ago at={request.preflightAt} /> ·{' '}
                  <Button
                    variant="subtle"
                    size="compact-xs"
                    loading={preflight.isPending}
                    onClick={() => {
                      preflight.mutate({ params })
                    }}
                  >
                    run again
                  </Button>
                </>
              )
            }
          >
            <Facts
              rows={request.preflight.map((check) => ({
                label: check.name,
                says: (
                  <>
                    <Mark is={check.result}>{check.says}</Mark>{' '}
                    {check.href === undefined || check.result === 'ok' ? null : <Link to={check.href}>Mend it</Link>}
                  </>
                ),
              }))}
            />
          </Card>
        </div>
        <Card
          title="The keys are on exactly this"
          aside={
            <span className="mono">
              release {request.releaseHash.slice(0, 4)}…{request.releaseHash.slice(-4)} · covers {request.covers.length}{' '}
              objects
            </span>
          }
        >
          <p className="secondary">
            {request.covers
              .map(
                (covered) =>
                  `${covered.kind} “${covered.name}” ${/^\d+$/.test(covered.version) ? `v${covered.version}` : covered.version.slice(0, 7)}`,
              )
              .join(' · ')}
            . Change any of them and the keys fall out.
          </p>
        </Card>
        <Modal
          opened={ways}
          onClose={() => {
            setWays(false)
          }}
          title="What would bring it down a lane"
        >
          <div className="stack">
            {verdict.ways.map((way) => (
              <div key={way.say} className="stack" style={{ gap: 4 }}>
                <Lamp lane={way.lane} />
                <p>{way.say}</p>
                <Link to={request.href}>
                  {request.kind !== 'broadcast'
                    ? `Change the ${request.kind}`
                    : way.leaveOut === undefined
                      ? 'Choose a smaller segment'
                      : 'Change the mail or the segment'}
                </Link>
              </div>
            ))}
            <p className="secondary">
              Each was judged again by the same rules; with the change made, the verdict on this page follows at once.
            </p>
          </div>
        </Modal>
      </Page>
    </ObjectLayout>
  )
}

/** How the signal stands: at the lane while keys are missing, clear once they are all there, at danger when it was stopped. */
function aspectOf({ state, lane, needs, stands }: RequestView): { lane: Lane | undefined; means?: string } {
  switch (state) {
    case 'waiting':
      return { lane, means: laneNeeds(lane, needs) }
    case 'ready':
      if (stands !== 'ready') return { lane, means: `${laneNeeds(lane, needs)} The keys are there; ${stands}.` }
      return { lane: 'green', means: 'Green: all that it needs is there.' }
    case 'live':
      return { lane: 'green', means: 'Green: it is live.' }
    case 'done':
      return { lane: 'green', means: 'Green: it ran to its end.' }
    case 'halted':
      return { lane: 'red', means: 'Red: it was stopped.' }
    case 'withdrawn':
      return { lane: undefined, means: 'Dark: the request was taken back.' }
  }
}

/** What happens next, when nothing else is on the way: whose turn it is, or why it cannot go yet. */
function nextOf(request: RequestView): string {
  if (request.launch.possible) return 'Next: launch it.'
  const fails = request.preflight.some((check) => check.result === 'fail')
  const missing = request.keys.filter((slot) => slot.state !== 'given')
  const { coolsOff } = request
  if (missing.length === 0)
    return fails
      ? 'Next: mend what fails under Preflight.'
      : coolsOff === null
        ? request.launch.because
        : `Next: ${request.requester.name} launches it, from ${moment(coolsOff.until)} on.`
  const who = missing.map((slot) => (slot.yours ? 'you' : slot.couldBe.join(' or '))).filter((names) => names !== '')
  if (who.length < missing.length) return 'Nobody here can give the missing key; an administrator can name somebody.'
  const keys = missing.length === 1 ? 'that key' : 'those keys'
  const when = coolsOff === null ? 'at once' : `from ${moment(coolsOff.until)} on`
  return `Next: ${fails ? 'mend what fails under Preflight, then ' : ''}${who.join(', then ')}. With ${keys} ${request.requester.name} can launch it ${when}.`
}

function Goes({ request }: { request: RequestView }) {
  const to = request.does.find((row) => row.label === 'To')?.says
  const undo = request.does.find((row) => row.label === 'Undo')?.says
  return (
    <div className="stack">
      <p>
        “{request.title}” goes live with{' '}
        {request.keys.length === 0 ? 'no key, because none is needed' : plural(request.keys.length, 'key', 'keys')}
        {to === undefined ? '' : `, to ${to}`}
      </p>
      <p className="secondary">{undo ?? 'What is out cannot be taken back.'}</p>
    </div>
  )
}

/** The sentence as the server composed it, with the keys and the wait in bold, because that is what one looks for. */
function emphasised(sentence: string) {
  return sentence
    .split(
      /(one key from (?:Marketing|IT|data protection)|a day to cool off|The preflight fails at [^:]+?(?=, so)|It cools off for [^,]+ more|It has waited [^;.]+ for [^;.]+|All keys are given)/,
    )
    .map((part, index) => (index % 2 === 1 ? <b key={part}>{part}</b> : part))
}

function Conversation({ request }: { request: RequestView }) {
  const [text, setText] = useState('')
  const say = useDeed(routes.comment, { touches: ['/api/requests'] })
  return (
    <>
      {request.comments.length === 0 ? (
        <p className="secondary" style={{ marginBottom: 12 }}>
          Nothing was said yet. Ask here, and the answer stays with the request.
        </p>
      ) : null}
      <ul className="talk">
        {request.comments.map((comment) => (
          <li key={comment.id}>
            <Avatar name={comment.by.name} side={comment.side} />
            <div>
              <b>{comment.by.name}</b>{' '}
              <span className="secondary">
                <Ago at={comment.at} />
              </span>
              <p>{comment.text}</p>
            </div>
          </li>
        ))}
      </ul>
      <form
        className="stack"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          say.mutate(
            { params: { id: request.id }, body: { text } },
            {
              onSuccess: () => {
                setText('')
              },
            },
          )
        }}
      >
        <Textarea
          aria-label="Reply"
          placeholder="Reply…"
          autosize
          minRows={2}
          required
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value)
          }}
        />
        <div>
          <Button type="submit" variant="default" loading={say.isPending} disabled={text.trim() === ''}>
            Say it
          </Button>
        </div>
      </form>
    </>
  )
}

function Changes({ request }: { request: RequestView }) {
  return (
    <ul className="history">
      {request.history.map((entry) => (
        <li key={`${entry.at} ${entry.says}`}>
          {entry.by} {entry.says}
          <br />
          <span className="secondary">
            <Ago at={entry.at} />
          </span>
        </li>
      ))}
    </ul>
  )
}

function Agreement({ request }: { request: RequestView }) {
  const { scales, rule, promiseWorkingDays } = request.verdict
  const names = {
    sensitivity: 'Sensitivity',
    reach: 'Reach',
    irreversibility: 'Irreversibility',
    integration: 'Integration',
  } as const
  return (
    <div className="stack">
      <Facts
        rows={(Object.keys(names) as (keyof typeof names)[]).map((scale) => ({
          label: `${names[scale]} ${String(scales[scale].level)}/4`,
          says: scales[scale].because,
        }))}
      />
      <p className="secondary">The rule that decided: {rule}.</p>
      <p className="secondary">It needs {request.needs}.</p>
      <p className="secondary">
        {promiseWorkingDays === 0
          ? 'Nobody needs to answer.'
          : `An answer is promised within ${String(promiseWorkingDays)} working days.`}
      </p>
    </div>
  )
}
