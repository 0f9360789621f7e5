import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { Actor } from '../../audit/contract.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { Body, Compiled, Rendered, Template } from '../contract.ts'
import { compileBody, hashOf } from './compile.ts'
import { renderer, RenderFailure } from './render.ts'
import { testMails, type TestMailNeeds, type TestWish } from './test-mail.ts'

/** A version as the one who sends needs it. */
export interface TemplateVersion {
  id: Id<'template'>
  name: string
  version: number
  hash: string
  compiled: Compiled
  editor: Id<'account'>
}

export interface Content {
  list(): Promise<Template[]>
  get(id: Id<'template'>): Promise<Template>
  versions(id: Id<'template'>): Promise<{ version: number; subject: string; at: string; by: string }[]>
  create(caller: Caller, name: string, body: Body): Promise<Template>
  change(caller: Caller, id: Id<'template'>, name: string, body: Body): Promise<Template>
  /** The present version, within a transaction that decides or sends. */
  version(tx: Postgres, id: string): Promise<TemplateVersion | undefined>
  preview(body: Body, profileId: Id<'profile'> | undefined): Promise<Rendered>
  /** @returns what to tell the person who asked */
  sendTest(caller: Caller, id: Id<'template'>, wish: TestWish): Promise<string>
}

export interface ContentNeeds extends TestMailNeeds {
  postgres: Postgres
  clock: Clock
  ids: Ids
  audit: Audit
  /** A person's traits, for previews; build.ts connects profiles, which stand above. */
  person(id: string): Promise<{ id: string; name: string; traits: Record<string, unknown> } | undefined>
  changed(tx: Postgres, id: Id<'template'>, by: Actor): Promise<void>
}

interface Row {
  id: string
  name: string
  version: number
  body: Body
  compiled: Compiled
  hash: string
  made_at: Date
  made_by: string
  by_name: string | null
}
const select = `SELECT t.id, t.version, v.name, v.body, v.compiled, v.hash, v.made_at, v.made_by, n.name AS by_name
  FROM content.template t JOIN content.version v ON v.template_id = t.id AND v.version = t.version LEFT JOIN accounts.named_person n ON n.id = v.made_by`
const nobody = { id: '', name: 'nobody in particular', traits: {} }

/** Templates: versions, compiled and made as a person gets them. */
export function createContent(needs: ContentNeeds): Content {
  const { postgres, clock, audit } = needs
  const tests = testMails(needs)
  const show = (row: Row): Template => ({
    id: row.id as Id<'template'>,
    name: row.name,
    version: row.version,
    body: row.body,
    fields: row.compiled.fields,
    warnings: row.compiled.warnings,
    changedAt: row.made_at.toISOString(),
    changedBy: row.by_name ?? 'Interlock',
  })
  const one = async (id: string) => {
    const [row] = await postgres.query<Row>(`${select} WHERE t.id = $1`, [id])
    if (row === undefined) throw new Refusal('not_found', 'There is no such template.')
    return show(row)
  }
  async function write(
    tx: Postgres,
    id: Id<'template'>,
    version: number,
    caller: Caller,
    name: string,
    body: Body,
    compiled: Compiled,
  ): Promise<void> {
    if (
      (
        await tx.query(
          'SELECT 1 FROM content.template WHERE lower(name) = lower($1) AND id <> $2 AND archived_at IS NULL',
          [name, id],
        )
      ).length > 0
    )
      throw new Refusal('conflict', `There is a template named “${name}” already.`)
    if (version === 1)
      await tx.query('INSERT INTO content.template (id, name, version, created_at) VALUES ($1, $2, 1, $3)', [
        id,
        name,
        clock.now(),
      ])
    else await tx.query('UPDATE content.template SET name = $2, version = $3 WHERE id = $1', [id, name, version])
    const hash = hashOf(body, compiled)
    await tx.query('INSERT INTO content.version VALUES ($1, $2, $3, $4, $5, $6, $7, $8)', [
      id,
      version,
      name,
      JSON.stringify(body),
      JSON.stringify(compiled),
      hash,
      caller.accountId,
      clock.now(),
    ])
    await audit.write(tx, {
      actor: actorOf(caller),
      deed: version === 1 ? 'template.created' : 'template.changed',
      object: { kind: 'template', id },
      summary: version === 1 ? `made the template “${name}”` : `changed the template “${name}”`,
      facts: { version, hash },
    })
  }
  async function render(compiled: Compiled, profileId: Id<'profile'> | undefined): Promise<Rendered> {
    const person = (profileId === undefined ? undefined : await needs.person(profileId)) ?? nobody
    try {
      const made = renderer(compiled)({
        person: person.traits,
        topic: { name: 'News and offers' },
        unsubscribe: '#unsubscribe',
      })
      const blank =
        made.blank.length === 0
          ? []
          : [
              {
                what: `${person.name === '' ? 'This person' : person.name} has no ${made.blank.join(', no ')}.`,
                passes: 'Give a default: {{ person.firstName | default: "there" }}.',
              },
            ]
      return {
        subject: made.subject,
        preheader: made.preheader,
        html: made.html,
        text: made.text,
        fields: compiled.fields,
        warnings: [...compiled.warnings, ...blank],
        person: person.id === '' ? null : { id: person.id, name: person.name },
      }
    } catch (error) {
      if (error instanceof RenderFailure)
        throw new Refusal('does_not_compile', `For this person it cannot be made: ${error.message}`)
      throw error
    }
  }

  return {
    list: async () =>
      (await postgres.query<Row>(`${select} WHERE t.archived_at IS NULL ORDER BY v.made_at DESC`)).map(show),
    get: one,
    versions: async (id) =>
      (
        await postgres.query<{ version: number; subject: string; made_at: Date; by_name: string | null }>(
          `SELECT v.version, v.body ->> 'subject' AS subject, v.made_at, n.name AS by_name FROM content.version v LEFT JOIN accounts.named_person n ON n.id = v.made_by
           WHERE template_id = $1 ORDER BY version DESC LIMIT 100`,
          [id],
        )
      ).map((row) => ({
        version: row.version,
        subject: row.subject,
        at: row.made_at.toISOString(),
        by: row.by_name ?? 'somebody who left',
      })),
    async create(caller, name, body) {
      const compiled = await compileBody(body)
      const id = needs.ids.next('template')
      await postgres.transaction((tx) => write(tx, id, 1, caller, name, body, compiled))
      return one(id)
    },
    async change(caller, id, name, body) {
      const compiled = await compileBody(body)
      await postgres.transaction(async (tx) => {
        const [before] = await tx.query<{ version: number }>(
          'SELECT version FROM content.template WHERE id = $1 FOR UPDATE',
          [id],
        )
        if (before === undefined) throw new Refusal('not_found', 'There is no such template.')
        await write(tx, id, before.version + 1, caller, name, body, compiled)
        await needs.changed(tx, id, actorOf(caller))
      })
      return one(id)
    },
    async version(tx, id) {
      const [row] = await tx.query<Row>(`${select} WHERE t.id = $1`, [id])
      return row === undefined
        ? undefined
        : {
            id: row.id as Id<'template'>,
            name: row.name,
            version: row.version,
            hash: row.hash,
            compiled: row.compiled,
            editor: row.made_by as Id<'account'>,
          }
    },
    preview: async (body, profileId) => render(await compileBody(body), profileId),
    async sendTest(caller, id, wish) {
      const [row] = await postgres.query<Row>(`${select} WHERE t.id = $1`, [id])
      if (row === undefined) throw new Refusal('not_found', 'There is no such template.')
      return tests.send(caller, { id, version: row.version }, wish, () => render(row.compiled, wish.profileId))
    },
  }
}
