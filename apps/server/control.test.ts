import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { AnyRoute } from '../../lib/routes/routes.ts'
import type { Authorise } from '../../platform/http/http.ts'
import { announceServer, type RunningServer } from './control.ts'

const folder = mkdtempSync(join(tmpdir(), 'il-control-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

it('lets the command line read, import and verify, and neither edit, ask, sign nor administer', async () => {
  const control = announceServer(folder, 'http://127.0.0.1:4400')
  const path = join(folder, 'server.json')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const { token } = JSON.parse(readFileSync(path, 'utf8')) as RunningServer
  // Of a request, only its headers are looked at.
  const request = (authorization: string) => ({ headers: { authorization } }) as unknown as Parameters<Authorise>[0]
  const caller = await control.letIn(request(`Bearer ${token}`), {} as AnyRoute)
  expect([...(caller?.permissions ?? [])].sort()).toEqual(['audit.read', 'data.read', 'data.write'])
  expect(await control.letIn(request(`Bearer ${token}x`), {} as AnyRoute)).toBeUndefined()
  control.withdraw()
})
