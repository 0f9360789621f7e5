import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aPostgres } from '../../../test/make/engines.ts'
import { stoppedClock } from '../../../platform/clock/clock.ts'
import type { PostgresPool } from '../../../platform/postgres/postgres.ts'
import { systemRandom } from '../../../platform/random/random.ts'
import { createSecrets } from '../../../platform/secrets/secrets.ts'
import { createAudit, type Audit } from './index.ts'

describe('the audit log', () => {
  let postgres: PostgresPool
  let audit: Audit
  let file: string[]
  beforeAll(async () => {
    postgres = await aPostgres()
  })
  beforeEach(async () => {
    await postgres.query('ALTER TABLE audit.entry DISABLE TRIGGER ALL')
    await postgres.query('TRUNCATE audit.entry')
    await postgres.query(`UPDATE audit.head SET seq = 0, hash = repeat('0', 64)`)
    await postgres.query('ALTER TABLE audit.entry ENABLE TRIGGER ALL')
    file = []
    const secrets = createSecrets(systemRandom.bytes(32), systemRandom)
    const lines = { read: () => file, append: (line: string) => void file.push(line) }
    audit = createAudit({ postgres, clock: stoppedClock(), heads: { file: lines, secrets } })
    await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        postgres.transaction((tx) =>
          audit.write(tx, {
            actor: { kind: 'person', id: `account_${String(index)}` },
            deed: 'tool.created',
            object: { kind: 'tool', id: `tool_${String(index)}` },
            summary: 'added “Öl & Essig”',
            facts: { index },
          }),
        ),
      ),
    )
  })
  const asSuperuser = async (statement: string) => {
    await postgres.query('ALTER TABLE audit.entry DISABLE TRIGGER ALL')
    await postgres.query(statement)
  }

  it('holds when nothing was touched, also when five wrote at once', async () => {
    expect(await audit.verify()).toMatchObject({ ok: true, entries: 5 })
  })

  it('refuses to be changed through the front', async () => {
    await expect(postgres.query(`UPDATE audit.entry SET body = body || ' '`)).rejects.toThrow('never changed')
    await expect(postgres.query('DELETE FROM audit.entry')).rejects.toThrow('never changed')
  })

  it.each([
    [
      'one letter of an entry was changed',
      `UPDATE audit.entry SET body = replace(body, 'Essig', 'Essag') WHERE seq = 3`,
      3,
    ],
    ['an entry was taken out', 'DELETE FROM audit.entry WHERE seq = 2', 2],
    [
      'two entries changed places',
      `UPDATE audit.entry SET body = CASE seq WHEN 3 THEN (SELECT body FROM audit.entry WHERE seq = 4) ELSE body END WHERE seq = 3`,
      3,
    ],
    ['a column was changed and the entry left', `UPDATE audit.entry SET actor_id = 'account_9' WHERE seq = 4`, 4],
    ['the end was cut off', 'DELETE FROM audit.entry WHERE seq > 3', 4],
  ])('names the entry when %s', async (_what, statement, seq) => {
    await asSuperuser(statement)
    expect(await audit.verify()).toMatchObject({ ok: false, seq })
  })

  it('sees that a cleverly shortened log lacks what was written down outside', async () => {
    await audit.writeHead()
    await asSuperuser('DELETE FROM audit.entry WHERE seq = 5')
    await postgres.query('UPDATE audit.head SET seq = 4, hash = (SELECT hash FROM audit.entry WHERE seq = 4)')
    expect(await audit.verify()).toMatchObject({ ok: false, seq: 5 })
  })

  /** What somebody does who owns the database and knows the code: every hash made anew after a change. */
  const rewrite = async (change: string) => {
    await asSuperuser(change)
    await postgres.query(
      `DO $$ DECLARE e record; before text := repeat('0', 64); BEGIN
         FOR e IN SELECT seq, body FROM audit.entry ORDER BY seq LOOP
           UPDATE audit.entry SET previous = before, hash = encode(sha256(convert_to(before || E'\\n' || e.body, 'UTF8')), 'hex') WHERE seq = e.seq;
           SELECT hash INTO before FROM audit.entry WHERE seq = e.seq;
         END LOOP;
         UPDATE audit.head SET hash = before;
       END $$`,
    )
    await postgres.query('ALTER TABLE audit.entry ENABLE TRIGGER ALL')
  }
  const more = () =>
    postgres.transaction((tx) =>
      audit.write(tx, {
        actor: { kind: 'system', id: 'test' },
        deed: 'tool.created',
        object: { kind: 'tool', id: 'tool_later' },
        summary: 'one more',
      }),
    )
  const forgery = `UPDATE audit.entry SET body = replace(body, 'Essig', 'Essag') WHERE seq = 3`

  it('stays broken when it was rewritten with every hash made anew, whatever is written and whenever the next head is due', async () => {
    await audit.writeHead()
    await rewrite(forgery)
    for (let minute = 0; minute < 3; minute += 1) {
      expect(await audit.verify()).toMatchObject({ ok: false, seq: 5 })
      await more()
      expect(await audit.writeHead()).toMatchObject({ ok: false, seq: 5 })
    }
    expect(file).toHaveLength(1)
  })

  it('names the entry of the first head that no longer holds, when there are many', async () => {
    for (let minute = 0; minute < 3; minute += 1) {
      await audit.writeHead()
      await more()
    }
    expect(await audit.verify()).toMatchObject({ ok: true, entries: 8, heads: 3 })
    await rewrite(`UPDATE audit.entry SET body = replace(body, 'one', 'two') WHERE seq = 6`)
    expect(await audit.verify()).toMatchObject({ ok: false, seq: 6 })
    expect(await audit.writeHead()).toMatchObject({ ok: false, seq: 6 })
  })

  it('writes a head only when something was done since', async () => {
    for (let minute = 0; minute < 3; minute += 1) await audit.writeHead()
    expect(file).toHaveLength(1)
    await more()
    await audit.writeHead()
    expect(file).toHaveLength(2)
  })

  it.each([
    [
      'changed to fit the rewritten log',
      (lines: string[]) => [lines[0]?.replace(/"hash":"./, '"hash":"-') ?? '', ...lines.slice(1)],
    ],
    ['taken out of the middle', (lines: string[]) => [...lines.slice(0, 1), ...lines.slice(2)]],
    ['put in another order', (lines: string[]) => lines.toReversed()],
  ])('is broken when a head in the file was %s', async (_what, change) => {
    for (let minute = 0; minute < 3; minute += 1) {
      await audit.writeHead()
      await more()
    }
    file = change(file)
    expect(await audit.verify()).toMatchObject({ ok: false })
    expect(await audit.writeHead()).toMatchObject({ ok: false })
  })

  it('takes a line that a crash cut off for no head', async () => {
    await audit.writeHead()
    file.push('{"seq":6,"ha')
    await more()
    await audit.writeHead()
    expect(await audit.verify()).toMatchObject({ ok: true, entries: 6, heads: 2 })
  })

  it('writes nothing for a deed that did not happen', async () => {
    await expect(
      postgres.transaction(async (tx) => {
        await audit.write(tx, {
          actor: { kind: 'system', id: 'test' },
          deed: 'tool.created',
          object: { kind: 'tool', id: 'tool_x' },
          summary: 'never',
        })
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    expect(await audit.verify()).toMatchObject({ ok: true, entries: 5 })
  })
})
