import axe from 'axe-core'
import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'

/** Where this machine has a Chromium; undefined when it has none. */
export const chromiumPath = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (path): path is string => path !== undefined && existsSync(path),
)

/** As a person's browser names itself; the headless name would be taken for the robot that it is. */
export const userAgent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'

/** A browser that asks nobody but us: no updates, no sign-in, no background requests. */
export async function aBrowser(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error('There is no Chromium. Install it: apt-get install -y chromium')
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--no-default-browser-check',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
      // For frames with processes of their own too, where a context's name does not reach: the pictures of a mail are asked for there.
      `--user-agent=${userAgent}`,
    ],
  })
}

/** What axe finds wrong on a page (WCAG 2.2 A and AA, and good practice), one line for each. Frames with mails are not ours to judge. */
export async function violations(page: Page): Promise<string[]> {
  // A page follows the scheme of its system a moment later, and colours on their way are nobody's. Waited for here, because a tab in the background has
  // no frames and slow timers.
  await page.waitForTimeout(200)
  await page.evaluate(axe.source)
  const found = await page.evaluate<{
    violations: { id: string; help: string; nodes: { target: string[]; failureSummary: string }[] }[]
  }>(`axe.run({ exclude: [['iframe']] }, { resultTypes: ['violations'], iframes: false })`)
  return found.violations.map(
    (one) =>
      `${one.id}: ${one.help}: ${one.nodes
        .slice(0, 3)
        .map((node) => `${node.target.join(' ')} (${node.failureSummary.split('\n').slice(1, 2).join(' ').trim()})`)
        .join('; ')}`,
  )
}
