import { mkdir, mkdtemp, open, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Changed, fitsPattern, openInbox } from './inbox.ts'

const home = await mkdtemp(join(tmpdir(), 'il-inbox-'))
const allowed = join(home, 'Eingang')
const outside = join(home, 'Eingang-geheim')
await mkdir(join(allowed, 'crm'), { recursive: true })
await mkdir(outside)
await writeFile(join(outside, 'gehälter.csv'), 'secret')
afterAll(() => rm(home, { recursive: true, force: true }))

const everything = () => true
async function textOf(chunks: AsyncIterable<Uint8Array>) {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts).toString()
}
async function put(name: string, text: string, secondsAgo = 0) {
  await writeFile(join(allowed, 'crm', name), text)
  const at = Date.UTC(2026, 10, 25) / 1000 - secondsAgo
  await utimes(join(allowed, 'crm', name), at, at)
}

describe('a folder into which others put files', () => {
  it.each([
    [outside, 'is not allowed'],
    [join(allowed, '..', 'Eingang-geheim'), 'is not allowed'],
    ['crm', 'is not allowed'],
    [join(allowed, 'none'), 'There is no folder'],
  ])('is not opened at %s', async (path, because) => {
    await expect(openInbox(path, [allowed])).rejects.toThrow(because)
  })

  it('is not opened where a link leads out of what is allowed', async () => {
    await symlink(outside, join(allowed, 'raus'))
    await expect(openInbox(join(allowed, 'raus'), [allowed])).rejects.toThrow('leads out')
    await expect(openInbox(allowed, [])).rejects.toThrow('INTERLOCK_IMPORT_FOLDERS')
  })

  it('shows whole files, the oldest first; no links out of it, and nothing that is still written under a name of its own', async () => {
    await put('kunden 2.csv', 'b', 10)
    await put('kunden 1.csv', 'a', 20)
    await put('.kunden 3.csv', 'c')
    await put('kunden 4.csv.part', 'd')
    await mkdir(join(allowed, 'crm', 'kunden 5.csv'))
    await symlink(join(outside, 'gehälter.csv'), join(allowed, 'crm', 'kunden 6.csv'))
    await symlink(join(allowed, 'crm', 'kunden 1.csv'), join(allowed, 'crm', 'kunden 7.csv'))
    const inbox = await openInbox(join(allowed, 'crm'), [allowed])
    const { files, refused } = await inbox.look(everything)
    expect(files.map(({ name }) => name)).toEqual(['kunden 1.csv', 'kunden 7.csv', 'kunden 2.csv'])
    expect(refused).toEqual([{ name: 'kunden 6.csv', because: 'a link that leads out of the allowed folder' }])
    expect(await textOf(inbox.read(files[1] as (typeof files)[0]))).toBe('a')
  })

  it('gives nothing of a file that was laid there since, or became a link', async () => {
    await put('tausch.csv', 'harmless')
    const inbox = await openInbox(join(allowed, 'crm'), [allowed])
    const [file] = (await inbox.look((name) => name === 'tausch.csv')).files
    if (file === undefined) throw new Error('it is not there')
    await rm(join(allowed, 'crm', 'tausch.csv'))
    await symlink(join(outside, 'gehälter.csv'), join(allowed, 'crm', 'tausch.csv'))
    await expect(textOf(inbox.read(file))).rejects.toThrow(Changed)
    await inbox.done(file)
    expect(await readdir(join(allowed, 'crm'))).not.toContain('done')
  })

  it('tells which files somebody is still writing', async () => {
    const inbox = await openInbox(join(allowed, 'crm'), [allowed])
    const writer = await open(join(allowed, 'crm', 'langsam.csv'), 'w')
    await writer.write('half')
    const reader = await open(join(allowed, 'crm', 'kunden 1.csv'), 'r')
    const { files } = await inbox.look(everything)
    expect([...(await inbox.beingWritten(files))]).toEqual(['langsam.csv'])
    await writer.close()
    await reader.close()
    expect([...(await inbox.beingWritten(files))]).toEqual([])
  })

  it('moves what was taken into done/, and no file there is written over', async () => {
    const inbox = await openInbox(join(allowed, 'crm'), [allowed])
    for (const text of ['first', 'second']) {
      await put('monat.csv', text)
      for (const file of (await inbox.look((name) => name === 'monat.csv')).files) await inbox.done(file)
    }
    expect(await readdir(join(allowed, 'crm', 'done'))).toHaveLength(2)
  })
})

it.each([
  ['kunden-*.csv', 'kunden-2026.csv', true],
  ['kunden-*.csv', 'kunden-2026.csv.gz', false],
  ['*.csv*', 'a.csv.gz', true],
  ['k?nden.csv', 'künden.csv', true],
  ['k?nden.csv', 'knden.csv', false],
  ['(a+)+.csv', '(a+)+.csv', true],
  [`${'*a'.repeat(20)}b`, 'a'.repeat(200), false],
])('the pattern %s: does “%s” fit? %s', (pattern, name, fits) => {
  expect(fitsPattern(pattern, name)).toBe(fits)
})
