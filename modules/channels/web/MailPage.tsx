import { SegmentedControl } from '@mantine/core'
import { useAddress } from '../../../ui/address.tsx'
import { useRoute } from '../../../ui/api.ts'
import { Ago } from '../../../ui/format.tsx'
import { Ask, Card, Facts, Page, useParam } from '../../../ui/page.tsx'
import { MailFrame } from '../../../ui/mail-frame.tsx'
import { routes } from '../contract.ts'

/** One mail as it arrived: seen, as text, its headers, its bytes; and the links in it, which work. */
export function MailPage() {
  const id = useParam('id')
  const found = useRoute(routes.mail, { params: { id } })
  const [{ as = 'seen' }, put] = useAddress()
  return (
    <Ask of={found} shape="page">
      {(mail) => (
        <Page
          title={mail.subject === '' ? '(no subject)' : mail.subject}
          crumbs={[{ label: 'Mail catcher', to: '/mail-catcher' }, { label: `Mail ${String(mail.id)}` }]}
          sub={
            <>
              From {mail.from} to {mail.to}, <Ago at={mail.at} />
            </>
          }
        >
          <SegmentedControl
            aria-label="How to look at it"
            w={360}
            maw="100%"
            value={as}
            onChange={(next) => {
              put({ as: next === 'seen' ? undefined : next })
            }}
            data={[
              { value: 'seen', label: 'As seen' },
              { value: 'text', label: 'Text' },
              { value: 'headers', label: 'Headers' },
              { value: 'raw', label: 'As it came' },
            ]}
          />
          {as === 'seen' ? <MailFrame html={mail.html} height={640} links /> : null}
          {as === 'text' ? (
            <Card>
              <pre>{mail.text}</pre>
            </Card>
          ) : null}
          {as === 'headers' ? (
            <Card>
              <Facts
                rows={mail.headers.map((header, index) => ({
                  key: `${header.name}${String(index)}`,
                  label: <code>{header.name}</code>,
                  says: <code>{header.value}</code>,
                }))}
              />
            </Card>
          ) : null}
          {as === 'raw' ? (
            <Card>
              <pre>
                <code>{mail.raw}</code>
              </pre>
            </Card>
          ) : null}
          <Card title="Links in it" aside="they count as clicks of this person">
            <ul className="history">
              {linksOf(mail.html).map((link) => (
                <li key={link.href}>
                  <a href={link.href} target="_blank" rel="noreferrer">
                    {link.says}
                  </a>
                  <br />
                  <span className="secondary">
                    {link.href.slice(0, 120)}
                    {link.href.length > 120 ? '…' : ''}
                  </span>
                </li>
              ))}
            </ul>
          </Card>
        </Page>
      )}
    </Ask>
  )
}

/** Parsed without running anything: a document that is in no page loads nothing and executes nothing. */
function linksOf(html: string): { href: string; says: string }[] {
  const parsed = new DOMParser().parseFromString(html.replaceAll(/<style\b[\s\S]*?<\/style>/gi, ''), 'text/html')
  const seen = new Map<string, string>()
  for (const link of parsed.querySelectorAll('a[href]')) {
    const href = link.getAttribute('href') ?? ''
    if (/^https?:/i.test(href) && !seen.has(href))
      seen.set(href, link.textContent.trim() === '' ? href : link.textContent.trim())
  }
  return [...seen].map(([href, says]) => ({ href, says }))
}
