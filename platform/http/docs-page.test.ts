import { expect, it } from 'vitest'
import { z } from 'zod'
import { route } from '../../lib/routes/routes.ts'
import { docsPage } from './docs-page.ts'

it('the page of the API shows what a route takes, leads back, and says where events come in', () => {
  const page = docsPage([
    route({
      method: 'POST',
      path: '/api/notices',
      summary: 'Hang <it> up.',
      allow: 'data.write',
      body: z.object({ words: z.string().max(80) }),
      reply: z.object({}),
    }),
  ])
  expect(page).toContain('Hang &#60;it&#62; up.')
  expect(page).toContain('&#34;maxLength&#34;: 80')
  expect(page).toContain('<a href="/">')
  expect(page).toContain('/v1/track')
})
