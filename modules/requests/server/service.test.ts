import { beforeEach, describe, expect, it } from 'vitest'
import { aCaller } from '../../../test/make/callers.ts'
import { aPostgres } from '../../../test/make/engines.ts'
import { stoppedClock, type StoppedClock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { PostgresPool } from '../../../platform/postgres/postgres.ts'
import { createIds, systemRandom } from '../../../platform/random/random.ts'
import { createSecrets } from '../../../platform/secrets/secrets.ts'
import { createAccounts, type Accounts } from '../../accounts/server/index.ts'
import { createAudit, type Audit } from '../../audit/server/index.ts'
import type { Id } from '../../../lib/ids/ids.ts'
import type { Check, RequestView } from '../contract.ts'
import { createRequests, type ChangeKind, type Clearance, type Requests } from './index.ts'

/** A notice on the wall: the smallest thing that can go live. Its text and its place are what keys are on. */
/** What is found out about the notice when one looks. */
interface Wall {
  people: number
  sensitivity: 2 | 4
  checks: Check[]
  looked: number
}
function noticeKind(live: string[], wall: Wall): ChangeKind {
  return {
    kind: 'notice',
    href: (id) => `/notices/${id}`,
    report: (id) => `/notices/${id}/report`,
    describe: (_tx, id) => Promise.resolve({ title: `Notice ${id}`, sub: 'a note on the wall' }),
    async closure(tx, id) {
      const [row] = await tx.query<{ text: string; place: string; version: number; editor: string }>(
        'SELECT * FROM notice WHERE id = $1',
        [id],
      )
      return {
        covers: [{ kind: 'notice', id, name: 'notice', version: String(row?.version) }],
        editors: row === undefined ? [] : [row.editor as Id<'account'>],
        content: { text: row?.text ?? '', place: row?.place ?? '' },
      }
    },
    facts: () =>
      Promise.resolve({
        audience: { people: wall.people, of: 20_000 },
        fields: [{ name: 'email', label: 'e-mail', sensitivity: wall.sensitivity }],
        irreversibility: { level: 2 as const, because: 'it is read' },
        integration: { level: 2 as const, because: 'it hangs on one wall' },
        firstUse: [],
      }),
    does: () => Promise.resolve([]),
    preflight() {
      wall.looked += 1
      return Promise.resolve(wall.checks)
    },
    execute(_tx, id, clearance: Clearance) {
      live.push(`${id} ${clearance.releaseHash.slice(0, 6)}`)
      return Promise.resolve()
    },
    halted: () => Promise.resolve(),
  }
}

describe('a request', () => {
  let postgres: PostgresPool
  let clock: StoppedClock
  let accounts: Accounts
  let audit: Audit
  let requests: Requests
  let live: string[]
  let wall: Wall
  let asker: Caller
  let marketing: Caller
  let it_: Caller
  let editor: Caller
  let asked: RequestView

  beforeEach(async () => {
    postgres = await aPostgres()
    clock = stoppedClock()
    const ids = createIds(clock, systemRandom)
    audit = createAudit({ postgres, clock })
    accounts = createAccounts({
      postgres,
      clock,
      random: systemRandom,
      ids,
      audit,
      secrets: createSecrets(systemRandom.bytes(32), systemRandom),
      publicUrl: () => 'http://localhost',
    })
    requests = createRequests({ postgres, clock, ids, audit, accounts })
    live = []
    wall = { people: 5_000, sensitivity: 2, checks: [], looked: 0 }
    requests.register(noticeKind(live, wall))
    asker = await aCaller(accounts, postgres, 'marketing', ['member'], clock.ms())
    marketing = await aCaller(accounts, postgres, 'marketing', ['approver'], clock.ms())
    it_ = await aCaller(accounts, postgres, 'it', ['approver'], clock.ms())
    editor = await aCaller(accounts, postgres, 'it', ['approver'], clock.ms())
    await postgres.query('CREATE TABLE notice (id text PRIMARY KEY, text text, place text, version int, editor text)')
    await postgres.query(`INSERT INTO notice VALUES ('n1', 'Åpningstider', 'hall', 1, $1)`, [editor.accountId])
    asked = await requests.open(asker, 'notice', 'n1', 'Please, before Friday.')
  })
  const edit = async (text: string) =>
    postgres.transaction(async (tx) => {
      await tx.query('UPDATE notice SET text = $1, version = version + 1 WHERE id = $2', [text, 'n1'])
      await requests.changed(tx, 'notice', 'n1', { kind: 'person', id: editor.accountId })
    })
  const bothKeys = async () => {
    await requests.giveKey(marketing, asked.id, asked.releaseHash, 'marketing', undefined)
    return requests.giveKey(it_, asked.id, asked.releaseHash, 'it', 'not on Sundays')
  }

  it('says what it waits for and why, and goes live at once when both keys are on exactly it', async () => {
    expect(asked.sentence).toBe(
      'This waits for one key from Marketing and one key from IT, because it uses contact data (e-mail) and it reaches 5,000 people, 25% of all. It has waited less than a minute for Marketing and IT; the promise is 2 working days.'.replace(
        'it uses contact data (e-mail) and it reaches 5,000 people, 25% of all',
        asked.verdict.because.replace('It needs a key from Marketing and a key from IT: ', '').replace(/[.]$/, ''),
      ),
    )
    await expect(requests.launch(asker, asked.id, asked.releaseHash)).rejects.toMatchObject({ code: 'needs_agreement' })
    expect(await requests.waitsFor('notice', 'n1')).toBe('one key from Marketing and one key from IT')
    const ready = await bothKeys()
    expect(ready).toMatchObject({
      state: 'ready',
      launch: { possible: true },
      keys: [{ state: 'given' }, { state: 'given', condition: 'not on Sundays' }],
      reportHref: null,
    })
    expect(await requests.waitsFor('notice', 'n1')).toBe('somebody to launch it: all it needs is there')
    expect(await requests.launch(asker, asked.id, asked.releaseHash)).toMatchObject({
      reportHref: '/notices/n1/report',
    })
    expect(await requests.waitsFor('notice', 'n1')).toBeUndefined()
    expect(live).toEqual([`n1 ${asked.releaseHash.slice(0, 6)}`])
    expect(await audit.verify()).toMatchObject({ ok: true })
  })

  it('goes live once, however many tabs launch it', async () => {
    await bothKeys()
    const tries = await Promise.allSettled([1, 2, 3].map(() => requests.launch(asker, asked.id, asked.releaseHash)))
    expect(tries.filter((attempt) => attempt.status === 'fulfilled')).toHaveLength(1)
    expect(live).toHaveLength(1)
  })

  it.each([
    ['the requester', () => asker, 'marketing'],
    ['whoever edited it last', () => editor, 'it'],
    ['someone of the other side', () => marketing, 'it'],
    ['an API key', () => ({ ...it_, kind: 'api-key' as const }), 'it'],
    ['someone without a fresh proof', () => ({ ...it_, steppedUpAtMs: undefined }), 'it'],
  ] as const)('takes no key from %s', async (_who, caller, kind) => {
    await expect(requests.giveKey(caller(), asked.id, asked.releaseHash, kind, undefined)).rejects.toThrow()
    expect((await requests.get(asker, asked.id)).keys.every((key) => key.state === 'waiting')).toBe(true)
  })

  it('refuses, in the database too, a key by the requester, by an editor or twice by one person', async () => {
    const insert = (person: string, kind: string) =>
      postgres.query(
        `INSERT INTO requests.key VALUES ($1, $2, $3, $4, $5, 'none', NULL, now(), now() + interval '1 year')`,
        [`key_${person}${kind}`, asked.id, asked.releaseHash, kind, person],
      )
    await expect(insert(asker.accountId, 'marketing')).rejects.toThrow('requester')
    await expect(insert(editor.accountId, 'it')).rejects.toThrow('edited')
    await expect(insert(marketing.accountId, 'it')).rejects.toThrow('cannot hold')
  })

  it('loses its keys, visibly, when anything that it covers changes', async () => {
    await bothKeys()
    await edit('Åpningstider og mer')
    const now = await requests.get(asker, asked.id)
    expect(now).toMatchObject({ state: 'waiting', launch: { possible: false } })
    expect(now.releaseHash).not.toBe(asked.releaseHash)
    expect(now.keys.map((key) => key.fallenOut[0]?.because)).toEqual([
      'notice “notice” changed',
      'notice “notice” changed',
    ])
    await expect(requests.launch(asker, asked.id, asked.releaseHash)).rejects.toMatchObject({ code: 'needs_agreement' })
    expect(live).toEqual([])
  })

  it('does not sign what changed between looking and signing', async () => {
    await edit('something else')
    await expect(
      requests.giveKey(marketing, asked.id, asked.releaseHash, 'marketing', undefined),
    ).rejects.toMatchObject({ code: 'conflict' })
  })

  it('passes the recheck of a batch only while what runs is what the keys are on', async () => {
    await bothKeys()
    await requests.launch(asker, asked.id, asked.releaseHash)
    await postgres.transaction((tx) => requests.recheck(tx, asked.releaseHash))
    // An edit past the program, straight in the database, is seen all the same.
    await postgres.query(`UPDATE notice SET place = 'roof'`)
    await expect(postgres.transaction((tx) => requests.recheck(tx, asked.releaseHash))).rejects.toMatchObject({
      code: 'needs_agreement',
      message: 'It is no longer what the keys are on: the place changed.',
    })
  })

  it.each([
    ['a key is taken back', () => requests.withdrawKey(it_, asked.id, 'the shop is down').then(() => undefined)],
    [
      'a holder of a key is disabled',
      () => postgres.query('UPDATE accounts.person SET disabled_at = now() WHERE id = $1', [it_.accountId]),
    ],
    [
      'a holder of a key lost the role',
      () => postgres.query(`UPDATE accounts.person SET roles = '{member}' WHERE id = $1`, [marketing.accountId]),
    ],
    ['a key expired', () => clock.advance(400 * 86_400_000)],
    ['the request is taken back', () => requests.withdraw(asker, asked.id).then(() => undefined)],
  ])('no longer acts once %s', async (_what, happens) => {
    await bothKeys()
    await requests.launch(asker, asked.id, asked.releaseHash)
    await happens()
    await expect(postgres.transaction((tx) => requests.recheck(tx, asked.releaseHash))).rejects.toMatchObject({
      code: 'needs_agreement',
    })
  })

  it('is looked at again when it changed after it was looked at, and does not go while that fails', async () => {
    expect(wall.looked).toBe(1)
    wall.checks = [{ name: 'Spelling', result: 'fail', says: 'It has a mistake.' }]
    await edit('Öppetider')
    const changed = await requests.get(asker, asked.id)
    expect(wall.looked).toBe(2)
    expect(changed.preflight).toEqual(wall.checks)
    await requests.giveKey(marketing, asked.id, changed.releaseHash, 'marketing', undefined)
    await requests.giveKey(it_, asked.id, changed.releaseHash, 'it', undefined)
    await expect(requests.launch(asker, asked.id, changed.releaseHash)).rejects.toMatchObject({
      code: 'not_now',
      message: 'The preflight fails: It has a mistake.',
    })
    expect(live).toEqual([])
  })

  it('asks for more when more is found out while it waits, never for less, and keeps the keys that it has', async () => {
    await bothKeys()
    const guardian = await aCaller(accounts, postgres, 'it', ['protection'], clock.ms())
    wall.sensitivity = 4
    const redder = await requests.get(asker, asked.id)
    expect(redder).toMatchObject({ lane: 'red', state: 'waiting', launch: { possible: false } })
    expect(redder.keys.map((key) => [key.kind, key.state])).toEqual([
      ['marketing', 'given'],
      ['it', 'given'],
      ['protection', 'waiting'],
    ])
    await expect(requests.launch(asker, asked.id, asked.releaseHash)).rejects.toMatchObject({ code: 'needs_agreement' })
    wall.sensitivity = 2
    expect((await requests.get(asker, asked.id)).keys).toHaveLength(3)
    await requests.giveKey(guardian, asked.id, asked.releaseHash, 'protection', undefined)
    await requests.launch(asker, asked.id, asked.releaseHash)
    expect(live).toHaveLength(1)
  })

  it('frees the place of a key whose holder left, so that a colleague can give it', async () => {
    await bothKeys()
    await postgres.query('UPDATE accounts.person SET disabled_at = now() WHERE id = $1', [it_.accountId])
    const waiting = await requests.get(asker, asked.id)
    expect(waiting).toMatchObject({ state: 'waiting', launch: { possible: false } })
    expect(waiting.keys[1]).toMatchObject({
      state: 'waiting',
      fallenOut: [{ because: 'whoever gave it can no longer give it' }],
    })
    const colleague = await aCaller(accounts, postgres, 'it', ['approver'], clock.ms())
    await requests.giveKey(colleague, asked.id, asked.releaseHash, 'it', undefined)
    await requests.launch(asker, asked.id, asked.releaseHash)
    expect(live).toHaveLength(1)
  })

  it('asks the one key of a small company of the side that has somebody who may give it', async () => {
    await postgres.query('UPDATE accounts.person SET disabled_at = now() WHERE id = ANY($1)', [
      [marketing.accountId, editor.accountId],
    ])
    await requests.withdraw(asker, asked.id)
    const small = await requests.open(asker, 'notice', 'n1', '')
    expect(small.keys.map((key) => [key.kind, key.couldBe.length])).toEqual([['it', 1]])
    // All of it is said before the key: whoever gives it must not learn of the day only afterwards.
    expect(small).toMatchObject({ needs: 'one key from IT and a day to cool off', stands: 'waiting' })
    expect(small.sentence).toContain('This waits for one key from IT and a day to cool off, because')
    expect(small.sentence).toContain('24 h from now, because fewer than four people work here.')
    expect(small.launch.because).toBe('It waits for the IT key. It cools off for 24 h more.')
    expect(small.coolsOff?.says).toContain('nothing shortens it')
    expect(await requests.waitsFor('notice', 'n1')).toBe('one key from IT and its cooling-off to end, 24 h from now')
    const cooling = await requests.giveKey(it_, small.id, small.releaseHash, 'it', undefined)
    expect(cooling).toMatchObject({ state: 'ready', stands: 'cooling off', launch: { possible: false } })
    expect((await requests.list(asker)).find((row) => row.id === small.id)).toMatchObject({
      stands: 'cooling off',
      yourTurn: false,
    })
    await expect(requests.launch(asker, small.id, small.releaseHash)).rejects.toMatchObject({ code: 'needs_agreement' })
    await clock.advance(25 * 3_600_000)
    expect(await requests.get(asker, small.id)).toMatchObject({ stands: 'ready', coolsOff: null })
    await requests.launch(asker, small.id, small.releaseHash)
    expect(live).toHaveLength(1)
  })

  it('says before anybody asks which keys it would need, whose, that a day passes and what would fail', async () => {
    await requests.withdraw(asker, asked.id)
    const four = await requests.foresee(asker, 'notice', 'n1')
    expect(four).toMatchObject({ needs: 'one key from Marketing and one key from IT', failing: [] })
    expect(four.keys.map((key) => key.couldBe)).toEqual([[marketing.name], [it_.name]])
    expect(four.sentence).not.toContain('day')
    await postgres.query('UPDATE accounts.person SET disabled_at = now() WHERE id = ANY($1)', [
      [marketing.accountId, editor.accountId],
    ])
    wall.checks = [{ name: 'Spelling', result: 'fail', says: 'It has a mistake.', href: '/notices/n1' }]
    const two = await requests.foresee(asker, 'notice', 'n1')
    expect(two.sentence).toContain(
      `It would need one key from IT and a day to cool off. ${it_.name} could give one key from IT. The day stands for the second key`,
    )
    expect(two.sentence).toContain('no key would be enough: Spelling would fail')
    await postgres.query('UPDATE accounts.person SET disabled_at = now() WHERE id = $1', [it_.accountId])
    expect((await requests.foresee(asker, 'notice', 'n1')).sentence).toContain('Nobody here could give one key from')
    expect((await requests.list(asker)).filter((row) => row.state === 'waiting')).toEqual([])
  })

  it('names a check that fails in its first sentence, and is not ready while one does', async () => {
    wall.checks = [{ name: 'Spelling', result: 'fail', says: 'It has a mistake.', href: '/notices/n1' }]
    const failing = await requests.preflight(asker, asked.id)
    expect(failing.sentence).toMatch(
      /^The preflight fails at Spelling, so no key is enough: It has a mistake[.] This waits for/,
    )
    expect(failing.launch.because).toBe(
      'The preflight fails: It has a mistake. It waits for the Marketing key and the IT key.',
    )
    expect(await bothKeys()).toMatchObject({ stands: 'a check fails', launch: { possible: false } })
    wall.checks = []
    expect(await requests.preflight(asker, asked.id)).toMatchObject({ stands: 'ready', launch: { possible: true } })
  })

  it('counts the time that it waited for each side', async () => {
    await clock.advance(3 * 3_600_000 + 40 * 60_000)
    const fresh = { ...marketing, steppedUpAtMs: clock.ms() }
    const now = await requests.giveKey(fresh, asked.id, asked.releaseHash, 'marketing', undefined)
    await clock.advance(3_600_000)
    const later = await requests.get(asker, asked.id)
    expect(now.keys[0]?.waitedSeconds).toBe(13_200)
    expect(later.sentence).toContain('It has waited 1 h for IT')
    expect(later.keys.map((key) => key.waitedSeconds)).toEqual([13_200, 16_800])
  })
})
