import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { people } from '../../../bench/match/people.ts'
import { readConfig } from '../../../platform/config/config.ts'
import type { Options } from './command.ts'
import { resolve } from './resolve.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'interlock-resolve-'))
  const rows = Array.from(people(1_500, 6), (one) =>
    [
      one.id,
      one.person,
      one.givenName,
      one.surname,
      one.dateOfBirth,
      one.email,
      one.phone,
      one.postcode,
      one.city,
    ].join(';'),
  )
  writeFileSync(
    join(folder, 'crm.csv'),
    ['id;truth;Vorname;Nachname;Geburtsdatum;E-Mail;Telefon;PLZ;Ort', ...rows].join('\n'),
  )
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

async function said(options: Options, ...rest: string[]): Promise<string> {
  const lines: string[] = []
  await resolve.run({
    config: readConfig({}, {}),
    options,
    rest,
    json: options['json'] === true,
    print: (text) => lines.push(text),
  })
  return lines.join('\n')
}

describe('interlock resolve', () => {
  it('writes the rows behind the number of their entity, the report, and how well it agrees with the truth', async () => {
    const [file, out, report] = ['crm.csv', 'out.csv', 'report.html'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    const told = JSON.parse(await said({ json: true, score: 'truth', out, report }, file)) as {
      rows: number
      columns: Record<string, string>
      quality: { f1: number }
    }
    expect(told.rows).toBe(1_500)
    expect(told.columns).toMatchObject({
      Vorname: 'givenName',
      Geburtsdatum: 'dateOfBirth',
      PLZ: 'postcode',
      Ort: 'place',
    })
    expect(told.quality.f1).toBeGreaterThan(0.95)
    const lines = readFileSync(out, 'utf8').trim().split('\n')
    expect(lines).toHaveLength(1_501)
    expect(lines[0]).toBe(
      'interlock_cluster,interlock_row,id,truth,Vorname,Nachname,Geburtsdatum,E-Mail,Telefon,PLZ,Ort',
    )
    expect(lines[1]).toMatch(/^1,1,0,0,/)
    expect(readFileSync(report, 'utf8')).toContain('Who is who in crm.csv')
  })

  it('takes what a column is from a file, and says why two rows are one or not', async () => {
    const config = join(folder, 'resolve.yml')
    writeFileSync(config, 'columns: { Ort: ignore, truth: ignore }\nthreshold: 2\n')
    const words = await said({ config, explain: '1,2', out: join(folder, 'out.csv') }, join(folder, 'crm.csv'))
    expect(words).toMatch(/Ort +ignored: you said so/)
    expect(words).toContain('These two weigh')
  })

  it('says what it does not understand before it begins', async () => {
    const file = join(folder, 'crm.csv')
    const wrong = join(folder, 'wrong.yml')
    writeFileSync(wrong, 'columns: { Ort: banana }\n')
    await expect(said({})).rejects.toThrow('Say which file')
    await expect(said({}, join(folder, 'none.csv'))).rejects.toThrow('There is no file')
    await expect(said({ link: true }, file)).rejects.toThrow('two files')
    await expect(said({ explain: '1' }, file)).rejects.toThrow('two numbers')
    await expect(said({ threshold: 'high' }, file)).rejects.toThrow('a number of bits')
    await expect(said({ config: wrong }, file)).rejects.toThrow('Kinds of columns')
    await expect(said({ out: join(folder, 'no', 'out.csv') }, file)).rejects.toThrow('There is no folder')
  })
})
