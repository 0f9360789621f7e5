import { beforeEach, describe, expect, it } from 'vitest'
import { aPostgres } from '../../../test/make/engines.ts'
import { stoppedClock } from '../../../platform/clock/clock.ts'
import type { PostgresPool } from '../../../platform/postgres/postgres.ts'
import { createAudit, type Audit } from './index.ts'

describe('the audit log', () => {
  let postgres: PostgresPool
  let audit: Audit
  let written: { seq: number; hash: string } | undefined
  beforeEach(async () => {
    postgres = await aPostgres()
    written = undefined
    audit = createAudit({ postgres, clock: stoppedClock(), writtenDown: () => written })
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
    written = await audit.head()
    await asSuperuser('DELETE FROM audit.entry WHERE seq = 5')
    await postgres.query('UPDATE audit.head SET seq = 4, hash = (SELECT hash FROM audit.entry WHERE seq = 4)')
    expect(await audit.verify()).toMatchObject({ ok: false, seq: 5 })
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
