import { normaliseEmail } from '../../../lib/email/email.ts'
import type { Id } from '../../../lib/ids/ids.ts'
import { Refusal } from '../../../lib/refusals/refusals.ts'
import type { Clock } from '../../../platform/clock/clock.ts'
import type { Caller } from '../../../platform/http/caller.ts'
import { dkimHeader } from '../../../platform/mail/dkim.ts'
import { buildMime, writeHeaders } from '../../../platform/mail/mime.ts'
import { openSmtp } from '../../../platform/mail/smtp.ts'
import type { Postgres } from '../../../platform/postgres/postgres.ts'
import type { Ids } from '../../../platform/random/random.ts'
import type { Accounts } from '../../accounts/server/index.ts'
import { actorOf, type Audit } from '../../audit/server/index.ts'
import type { Channels } from '../../channels/server/index.ts'
import type { Tools } from '../../tools/server/index.ts'
import type { Rendered } from '../contract.ts'

export interface TestWish {
  to: string
  /** Whose mail it is made as. */
  profileId?: Id<'profile'> | undefined
  senderId?: Id<'sender'> | undefined
}

export interface TestMailNeeds {
  postgres: Postgres
  clock: Clock
  ids: Ids
  audit: Audit
  channels: Pick<Channels, 'senders' | 'sender' | 'route' | 'smtpUrl'>
  tools: Pick<Tools, 'assertUsable'>
  accounts: Pick<Accounts, 'people'>
  /** Whether nothing at all may go to this address (in its one spelling); build.ts connects consent, which stands above. */
  stopped(email: string): Promise<boolean>
}

const mostAnHour = 20
const hourMs = 3_600_000

/**
 * Test mails: the one way in which a mail leaves without keys. So it is for people alone, and leads only to people who work here, a few times an hour.
 */
export function testMails(needs: TestMailNeeds) {
  const { postgres, clock, audit, channels } = needs

  /** Counts this one, within what an hour allows, and writes it down before it leaves: a mail that nobody can trace is worse than a try that failed. */
  async function writeDown(
    caller: Caller,
    template: { id: string; version: number },
    facts: Record<string, string | null>,
  ): Promise<void> {
    await postgres.transaction(async (tx) => {
      // Tries of one person queue here, or all of them would count the same.
      await tx.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`content.test_mail ${caller.accountId}`])
      const [counted] = await tx.query<{ n: number }>(
        'SELECT count(*) AS n FROM content.test_mail WHERE account_id = $1 AND at > $2',
        [caller.accountId, new Date(clock.ms() - hourMs)],
      )
      if ((counted?.n ?? 0) >= mostAnHour)
        throw new Refusal('too_many_tries', `You have had ${String(mostAnHour)} tests sent within the hour.`, {
          passes: 'Wait until the first of them is an hour old, or look at the preview: it shows the same.',
        })
      await tx.query('DELETE FROM content.test_mail WHERE account_id = $1 AND at <= $2', [
        caller.accountId,
        new Date(clock.ms() - hourMs),
      ])
      await tx.query('INSERT INTO content.test_mail (account_id, at) VALUES ($1, $2)', [caller.accountId, clock.now()])
      await audit.write(tx, {
        actor: actorOf(caller),
        deed: 'template.tested',
        object: { kind: 'template', id: template.id },
        summary: 'had a test mail sent',
        facts: { version: template.version, ...facts },
      })
    })
  }

  return {
    /** @returns what to tell the person who asked @throws Refusal with what would pass */
    async send(
      caller: Caller,
      template: { id: Id<'template'>; version: number },
      wish: TestWish,
      make: () => Promise<Rendered>,
    ): Promise<string> {
      if (caller.kind !== 'person')
        throw new Refusal('not_allowed', 'An API key cannot have test mails sent.', {
          passes: 'Sign in as a person. What a program sends goes out as a broadcast, with the keys that it needs.',
        })
      const address = normaliseEmail(wish.to)
      const colleague = (await needs.accounts.people()).find(
        (one) => one.disabledAt === null && normaliseEmail(one.email) === address,
      )
      if (address === undefined || colleague === undefined)
        throw new Refusal('not_allowed', 'Nobody who works here has this address.', {
          passes: 'A test goes to your own address or to that of a colleague who has an account here.',
        })
      if (await needs.stopped(address))
        throw new Refusal('not_now', 'Nothing is sent to this address: it is on the suppression list for all mail.', {
          passes: 'Send the test to somebody else, or have the address taken off the list.',
        })
      const senderId = wish.senderId ?? (await channels.senders())[0]?.id
      const sender = senderId === undefined ? undefined : await channels.sender(postgres, senderId)
      if (sender === undefined)
        throw wish.senderId === undefined
          ? new Refusal('not_now', 'There is no sender yet. Add one in Settings.')
          : new Refusal('not_found', 'There is no such sender.')
      await needs.tools.assertUsable(postgres, (await channels.route()).toolId)
      const made = await make()
      await writeDown(caller, template, {
        recipient: colleague.id,
        sender: sender.id,
        madeAs: made.person?.id ?? null,
      })
      const { headers, body } = buildMime({
        messageId: `${needs.ids.next('test')}@${sender.domain}`,
        atMs: clock.ms(),
        from: sender,
        to: { name: colleague.name, address },
        subject: `[Test] ${made.subject}`,
        text: made.text,
        html: made.html,
        headers: { 'X-Interlock-Test': 'yes' },
      })
      const data = `${dkimHeader(sender.key, headers, body, clock.ms())}\r\n${writeHeaders(headers)}\r\n${body}`
      const connection = await openSmtp(channels.smtpUrl(), {
        beforeFinalDot: () => undefined,
        afterAnswer: () => undefined,
      }).catch((error: unknown) => {
        throw new Refusal('busy', `The mail server cannot be reached: ${error instanceof Error ? error.message : ''}`)
      })
      const outcome = await connection.send({ id: template.id, from: sender.address, to: address, data })
      await connection.quit()
      if (outcome.kind !== 'accepted') throw new Refusal('not_now', `The mail server did not take it: ${outcome.text}`)
      return `A test is on its way to ${address}. It is marked as a test and counted nowhere.`
    },
  }
}
