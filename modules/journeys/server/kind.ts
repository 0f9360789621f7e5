import { createHash } from 'node:crypto'
import { labelOf, sensitivityOf } from '../../../lib/sensitivity/sensitivity.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Channels } from '../../channels/server/index.ts'
import type { Consent } from '../../consent/server/index.ts'
import type { Content } from '../../content/server/index.ts'
import type { Field, Level } from '../../policy/contract.ts'
import type { Check } from '../../requests/contract.ts'
import type { ChangeKind, Clearance } from '../../requests/server/index.ts'
import type { Segments } from '../../segments/server/index.ts'
import type { Tools } from '../../tools/server/index.ts'
import { bandOf, coverageOf, type Coverage } from './audience.ts'
import type { TrackingLinks } from './links.ts'
import { materialOf, writerOf, type Material } from './material.ts'
import { broadcastStore } from './store.ts'

export interface KindNeeds {
  postgres: Postgres
  clock: Clock
  content: Content
  segments: Segments
  channels: Channels
  consent: Consent
  tools: Pick<Tools, 'get' | 'assertUsable'>
  links: TrackingLinks
  /** How sensitive fields are by their names and by what was seen in them. */
  fields: (tx: Postgres) => Promise<readonly { name: string; sensitivity: Level }[]>
  people: (ids: readonly string[]) => Promise<Map<string, { name: string; traits: Record<string, unknown> }>>
  /** Called within the transaction that made it live. */
  launched(tx: Postgres, broadcastId: string, clearance: Clearance, sendAt: Date | null): Promise<void>
}

const mostBytes = 102_400
const sampled = 1_000

/** A broadcast as something that can go live: what keys on it cover, the facts about it, the checks before it. */
export function broadcastKind(needs: KindNeeds): ChangeKind {
  const { clock, content, segments, channels, consent, tools } = needs
  const parts = { content, segments, channels, consent }
  const load = async (tx: Postgres, id: string): Promise<Material> => {
    const row = await broadcastStore(tx).get(id)
    if (row === undefined) throw new Refusal('not_found', 'There is no such broadcast.')
    return materialOf(tx, parts, row)
  }

  /** Every field that the mail shows or the audience is chosen by, and the address that it goes to. */
  function fieldsOf({ template, segment }: Material): Field[] {
    const used = segments.fieldsUsed(segment.definition)
    const named = ['email', ...template.compiled.fields, ...used.traits].map((name): Field => ({
      name,
      label: labelOf(name),
      sensitivity: sensitivityOf(name),
    }))
    // What somebody did, put together with where they can be reached, says more than either.
    const done = used.events.map((name): Field => ({
      name: `event ${name}`,
      label: `what they did: “${name}”`,
      sensitivity: 3,
    }))
    return [...new Map([...named, ...done].map((field) => [field.name, field])).values()]
  }

  return {
    kind: 'broadcast',
    href: (id) => `/campaigns/${id}`,
    report: (id) => `/campaigns/${id}/report`,
    async describe(tx, id) {
      const { row, template, segment } = await load(tx, id)
      return { title: row.name, sub: `Broadcast: “${template.name}” to “${segment.name}”` }
    },
    async closure(tx, id, running) {
      const material = await load(tx, id)
      const { row, template, segment, sender, route, topic } = material
      let atMost = row.at_most
      if (!running || atMost === null) {
        const { people } = await segments.size(segment.definition)
        atMost = bandOf(people, row.at_most)
        await broadcastStore(tx).setBand(id, atMost)
      }
      const tool = await tools.get(tx, route.toolId)
      const toolVersion = shortHash([
        tool?.status,
        tool?.owners.marketing?.id,
        tool?.owners.it?.id,
        tool?.region,
        tool?.personalFields,
      ])
      return {
        covers: [
          { kind: 'broadcast', id, name: row.name, version: String(row.version) },
          { kind: 'template', id: template.id, name: template.name, version: template.hash.slice(0, 12) },
          { kind: 'segment', id: segment.id, name: segment.name, version: String(segment.version) },
          { kind: 'topic', id: topic.id, name: topic.name, version: shortHash([topic.name, topic.wording]) },
          { kind: 'sender', id: sender.id, name: sender.address, version: String(sender.version) },
          { kind: 'tool', id: route.toolId, name: route.toolName, version: toolVersion },
        ],
        editors: [row.changed_by, template.editor, segment.editor, sender.editor].filter(
          (who): who is typeof template.editor => who.startsWith('account_'),
        ),
        content: {
          mail: template.hash,
          audience: { definition: segment.definition, atMost },
          sender: { name: sender.name, address: sender.address, selector: sender.key.selector },
          destination: { tool: route.toolId, host: route.kind === 'smtp' ? route.host : 'catcher' },
          topic: topic.id,
          fields: fieldsOf(material).map((field) => ({ name: field.name, sensitivity: field.sensitivity })),
          schedule: row.send_at === null ? 'at once' : row.send_at.toISOString(),
        },
      }
    },
    async facts(tx, id) {
      const material = await load(tx, id)
      const size = await segments.size(material.segment.definition)
      const store = broadcastStore(tx)
      const firstUse = [
        (await store.usedBefore('template_id', material.template.id, id))
          ? []
          : [`the template “${material.template.name}”`],
        (await store.usedBefore('sender_id', material.sender.id, id)) ? [] : [`the sender ${material.sender.address}`],
      ].flat()
      // A field named “note” may hold card numbers: what was seen in it counts too, and only upwards.
      const seen = new Map((await needs.fields(tx)).map((field) => [field.name, field.sensitivity]))
      return {
        audience: {
          people: size.people,
          of: size.of,
          ...(material.row.at_most === null ? {} : { atMost: material.row.at_most }),
        },
        fields: fieldsOf(material).map((field) => ({
          ...field,
          sensitivity: Math.max(field.sensitivity, seen.get(field.name) ?? 0) as Level,
        })),
        irreversibility: { level: 2, because: 'a mail that is out cannot be called back' },
        integration: { level: 2, because: `it hands addresses one way to “${material.route.toolName}”` },
        firstUse,
      }
    },
    async does(tx, id, facts) {
      const { row, template, segment, sender, route, topic } = await load(tx, id)
      const people = facts.audience
      return [
        { label: 'Sends', says: `the mail “${template.name}” with the subject “${template.compiled.subject}”` },
        {
          label: 'To',
          says:
            people === undefined
              ? 'nobody'
              : `${people.people.toLocaleString('en-GB')} of ${people.of.toLocaleString('en-GB')} people. ${segments.describe(segment.definition)} Keys cover at most ${(row.at_most ?? 0).toLocaleString('en-GB')}.`,
        },
        {
          label: 'Only',
          says: `to addresses that agreed to “${topic.name}” and are on no suppression list, asked again for each mail as it leaves`,
        },
        {
          label: 'With',
          says: 'these personal fields',
          fields: facts.fields.map((field) => ({ label: field.label, sensitivity: field.sensitivity })),
        },
        { label: 'From', says: `${sender.name} <${sender.address}>, signed with DKIM for ${sender.domain}` },
        { label: 'Through', says: `${route.toolName} (${route.host})` },
        {
          label: 'When',
          says:
            row.send_at === null
              ? 'as soon as the keys are on it and it is launched'
              : `on ${row.send_at.toISOString().slice(0, 16).replace('T', ' at ')} UTC`,
        },
        {
          label: 'Undo',
          says: 'A withdrawn key or a pause stops the rest within one batch of 100; what is out is out.',
        },
      ]
    },
    async preflight(tx, id) {
      const material = await load(tx, id)
      const { row, template, segment, route, topic } = material
      const checks: Check[] = []
      // Where what a check found is mended.
      const mended: Readonly<Record<string, string>> = {
        Consent: `/segments/${segment.id}`,
        'Made for real people': `/content/${template.id}`,
        Size: `/content/${template.id}`,
        Content: `/content/${template.id}`,
        Signature: '/settings/senders',
        Route: `/tools/${route.toolId}`,
      }
      const add = (name: string, result: Check['result'], says: string) => {
        const href = mended[name]
        checks.push({ name, result, says, ...(href === undefined ? {} : { href }) })
      }
      const covered = await coverageOf(tx, segments, consent, segment.definition, topic.id)
      add(...audienceCheck(covered, topic.name))
      add(...(await sampleCheck(material)))
      const { bytes, warnings } = template.compiled
      add(
        'Size',
        bytes > mostBytes ? 'warn' : 'ok',
        bytes > mostBytes
          ? `The mail has ${kilobytes(bytes)}; Gmail cuts off what is past 102 kB, and with it the unsubscribe link.`
          : `The mail has ${kilobytes(bytes)}, under the 102 kB at which Gmail cuts.`,
      )
      add(
        'Content',
        warnings.length > 0 ? 'warn' : 'ok',
        warnings.length > 0
          ? warnings.map((warning) => warning.what).join(' ')
          : 'The template compiles without a warning.',
      )
      add(...signatureCheck(material))
      add(
        'Route',
        route.usable ? 'ok' : 'fail',
        route.usable
          ? `“${route.toolName}” is live and has an owner on each side.`
          : (route.because ?? 'The route cannot be used.'),
      )
      if (row.send_at !== null && row.send_at.getTime() < clock.ms())
        add('Schedule', 'warn', 'The time is past, so it leaves as soon as it is launched.')
      return checks
    },
    async execute(tx, id, clearance) {
      const { row, route } = await load(tx, id)
      if (row.state === 'live' || row.state === 'done')
        throw new Refusal('not_now', `“${row.name}” is ${row.state} already.`)
      await tools.assertUsable(tx, route.toolId)
      await broadcastStore(tx).golive(id, clearance.releaseHash, clock.now())
      await needs.launched(tx, id, clearance, row.send_at)
    },
    async halted(tx, id, because) {
      await broadcastStore(tx).move(id, ['live', 'paused'], 'halted', because)
    },
  }

  /** Makes the mail for a sample of the audience, exactly as it would be made. */
  async function sampleCheck(material: Material): Promise<[string, Check['result'], string]> {
    const ids = await segments.sample(material.segment.definition, sampled)
    const people = await needs.people(ids)
    const write = writerOf({ ...material, broadcastId: material.row.id }, needs)
    let failed = 0
    let blank = 0
    let first = ''
    for (const [id, person] of people) {
      try {
        const { rendered } = write({
          id: 'message_preflight',
          address: 'preflight@localhost.example',
          addressKey: '00',
          ...person,
        })
        if (rendered.blank.length > 0) blank += 1
      } catch (error) {
        failed += 1
        first ||= `${error instanceof Error ? error.message : 'it fails'} (for ${id})`
      }
    }
    const of = people.size.toLocaleString('en-GB')
    if (failed > 0)
      return [
        'Made for real people',
        failed >= people.size / 100 ? 'fail' : 'warn',
        `It cannot be made for ${String(failed)} of ${of} people looked at: ${first}.`,
      ]
    if (blank > 0)
      return [
        'Made for real people',
        'warn',
        `${blank.toLocaleString('en-GB')} of ${of} people looked at lack a field that the mail shows. Give a default: {{ person.firstName | default: "there" }}.`,
      ]
    return ['Made for real people', 'ok', `Made for ${of} people of the audience without a failure or a blank.`]
  }
  function signatureCheck(material: Material): [string, Check['result'], string] {
    try {
      const write = writerOf({ ...material, broadcastId: material.row.id }, needs)
      const { data } = write({
        id: 'message_preflight',
        address: 'preflight@localhost.example',
        addressKey: '00',
        name: '',
        traits: {},
      })
      const header = /^DKIM-Signature: (.*)$/m.exec(data)?.[1] ?? ''
      const signed = /h=([^;]+)/.exec(header)?.[1]?.split(':') ?? []
      const both = signed.includes('list-unsubscribe') && signed.includes('list-unsubscribe-post')
      return both
        ? [
            'Signature',
            'ok',
            `Signed with DKIM for ${material.sender.domain}, both one-click unsubscribe headers included. Its DNS records are in Settings.`,
          ]
        : ['Signature', 'fail', 'The signature does not cover both unsubscribe headers.']
    } catch (error) {
      return [
        'Signature',
        'warn',
        `It could not be tried with an empty person: ${error instanceof Error ? error.message : ''}`,
      ]
    }
  }
}

/** Twelve hex digits that differ when any of the values does. */
const shortHash = (values: readonly unknown[]) =>
  createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 12)

function audienceCheck(covered: Coverage, topic: string): [string, Check['result'], string] {
  const count = (number: number) => number.toLocaleString('en-GB')
  const have = (number: number, one: string, many: string) => `${count(number)} ${number === 1 ? one : many}`
  const words = `${count(covered.mailable)} of ${count(covered.people)} would get it now. Left out: ${have(covered.people - covered.withAddress, 'has', 'have')} no address, ${have(covered.withAddress - covered.addresses, 'shares', 'share')} one with somebody else, ${have(covered.addresses - covered.mailable, 'did', 'did')} not agree to “${topic}” or ${covered.addresses - covered.mailable === 1 ? 'is' : 'are'} suppressed.`
  if (covered.people === 0) return ['Consent', 'fail', 'The audience is empty.']
  return ['Consent', covered.mailable === 0 ? 'fail' : covered.mailable < covered.people / 2 ? 'warn' : 'ok', words]
}
const kilobytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} kB`
