import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Standing } from '../contract.ts'
import type { MailRef } from './links.ts'
import type { Consent } from './service.ts'
import { page, stylesheet } from './page-html.ts'

/**
 * The pages that customers of the company meet: `/u/<token>` and `/p/<token>`. A plugin of its own: no cookie, no sign-in, and a body of any
 * type, because what a mail program posts is not ours to judge (RFC 8058 section 3.1). They work without a script.
 *
 * GET, HEAD and OPTIONS change nothing, so that a scanner that opens every link unsubscribes nobody. POST never redirects.
 */
export function consentPages(needs: {
  consent: Pick<Consent, 'readLink' | 'unsubscribe' | 'choose' | 'standing'>
  /** What readers know the company as; never the name of this program. */
  company: () => string | Promise<string>
}) {
  const { consent, company } = needs

  return async function pages(scope: FastifyInstance): Promise<void> {
    scope.addHook('onRequest', async (request) => {
      // A type that nobody can read must not meet Fastify's own opinion of it: the body is only looked at, never required.
      if (request.headers['content-type'] !== undefined) {
        request.headers['x-sent-type'] = request.headers['content-type']
        request.headers['content-type'] = 'application/octet-stream'
      }
    })
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 65_536 }, (_request, body, done) => {
      done(null, body)
    })

    const html = (reply: FastifyReply, status: number, body: string) =>
      reply
        .code(status)
        .header('cache-control', 'no-store')
        .header('x-robots-tag', 'noindex')
        .type('text/html; charset=utf-8')
        .send(body)
    const forged = async (reply: FastifyReply) =>
      html(
        reply,
        404,
        page(await company(), 'This link does not work', [
          { text: 'The link is not complete, or was not made here. Open it again from the mail itself.' },
        ]),
      )

    scope.get('/p/style.css', (_request, reply) =>
      reply.header('cache-control', 'public, max-age=3600').type('text/css; charset=utf-8').send(stylesheet),
    )

    scope.get<{ Params: { token: string } }>('/u/:token', async (request, reply) => {
      const ref = consent.readLink(request.params.token)
      if (ref === undefined) return forged(reply)
      const { name, mailable } = topicOf(await consent.standing(ref.addressKey), ref)
      return html(
        reply,
        200,
        mailable
          ? page(await company(), `Stop “${name}”?`, [
              { text: `You will get no more mails about “${name}” at this address. Nothing has changed yet.` },
              { form: `/u/${request.params.token}`, button: `Stop “${name}”`, value: 'List-Unsubscribe=One-Click' },
              { link: `/p/${request.params.token}`, label: 'See and change everything we may send you' },
            ])
          : page(await company(), `You do not get “${name}”`, [
              { text: `No mails about “${name}” go to this address.` },
              { link: `/p/${request.params.token}`, label: 'See and change everything we may send you' },
            ]),
      )
    })

    scope.post<{ Params: { token: string } }>('/u/:token', async (request, reply) => {
      const ref = consent.readLink(request.params.token)
      if (ref === undefined) return forged(reply)
      // Whoever posts here means it: the body says nothing that the address of this page does not say.
      const sent = request.headers['sec-fetch-mode'] === 'navigate' ? 'page' : 'one-click'
      await consent.unsubscribe(ref, 'topic', sent)
      const { name } = topicOf(await consent.standing(ref.addressKey), ref)
      return html(
        reply,
        200,
        page(await company(), 'Done', [
          {
            text: `No more mails about “${name}” go to this address. A mail that left in the last moments may still arrive.`,
          },
          { link: `/p/${request.params.token}`, label: 'That was a mistake, or you want to change more' },
        ]),
      )
    })

    scope.get<{ Params: { token: string } }>('/p/:token', async (request, reply) => {
      const ref = consent.readLink(request.params.token)
      if (ref === undefined) return forged(reply)
      return html(
        reply,
        200,
        preferences(await company(), request.params.token, await consent.standing(ref.addressKey), ref, false),
      )
    })

    scope.post<{ Params: { token: string } }>('/p/:token', async (request, reply) => {
      const ref = consent.readLink(request.params.token)
      if (ref === undefined) return forged(reply)
      const fields = new URLSearchParams(Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '')
      if (fields.get('deed') === 'stop') await consent.unsubscribe(ref, 'marketing', 'page')
      else if (fields.get('deed') === 'save') await consent.choose(ref, new Set(fields.getAll('topic')))
      else
        return html(
          reply,
          400,
          page(await company(), 'Nothing was changed', [
            { text: 'The form did not arrive whole.' },
            { link: `/p/${request.params.token}`, label: 'Back to the form' },
          ]),
        )
      return html(
        reply,
        200,
        preferences(await company(), request.params.token, await consent.standing(ref.addressKey), ref, true),
      )
    })
  }
}

function topicOf(standing: Standing, ref: MailRef): { name: string; mailable: boolean } {
  const topic = standing.topics.find((one) => one.id === ref.topic)
  return { name: topic?.name ?? ref.topic, mailable: topic?.mailable ?? false }
}

function preferences(company: string, token: string, standing: Standing, ref: MailRef, saved: boolean): string {
  const topics = standing.topics.filter((topic) => topic.listed || topic.id === ref.topic)
  const wanted = topics.filter((topic) => topic.mailable).map((topic) => topic.name)
  const blocked = standing.suppressions.find(
    (one) => one.scope === '*' || one.reason === 'complained' || one.reason === 'by hand',
  )
  return page(company, 'What we may send you', [
    {
      text: `${saved ? 'Saved. ' : ''}${wanted.length === 0 ? 'We send nothing but what you order or ask for to this address.' : `We may write to this address about ${wanted.map((name) => `“${name}”`).join(', ')}.`}`,
    },
    ...(blocked === undefined
      ? []
      : [
          {
            text:
              blocked.reason === 'bounced'
                ? 'Mails to this address came back, so we stopped. Write to us when it works again.'
                : 'This address is on our list of addresses that are left alone. What you choose here is kept, but nothing is sent until you ask us to take it off that list.',
          },
        ]),
    {
      topics: topics.map((topic) => ({
        id: topic.id,
        name: topic.name,
        description: topic.description,
        wording: topic.wording,
        wanted: topic.mailable,
        since: topic.since,
        state: topic.state,
      })),
      form: `/p/${token}`,
    },
    {
      history: standing.records.map((record) => ({
        at: record.at,
        topic: standing.topics.find((topic) => topic.id === record.topic)?.name ?? record.topic,
        state: record.state,
        source: record.source,
      })),
    },
  ])
}
