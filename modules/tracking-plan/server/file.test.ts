import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PlanContent } from '../contract.ts'
import { differencesOf } from './differences.ts'
import { readPlansFile, writePlansFile } from './file.ts'

const content = PlanContent.parse({
  mode: 'quarantine',
  events: [
    {
      type: 'track',
      name: 'Köp: “ñ” # no comment',
      mode: 'block',
      description: 'yes',
      properties: [
        {
          name: 'total',
          type: 'number',
          required: true,
          min: 0,
          meaning: 'Sum\nwith tax',
          sensitivity: 3,
          purpose: '- x',
        },
        { name: 'size', type: 'string', values: ['S', 'no', '1', 'null'] },
      ],
    },
    { type: 'page', name: '', status: 'deprecated' },
  ],
})
const problemsOf = (text: string) => {
  const read = readPlansFile(text)
  return 'problems' in read ? read.problems.map((one) => `${one.line}: ${one.says}`) : []
}

describe('the file of tracking plans', () => {
  it('gives back exactly what was written, and the same text again', () => {
    const text = writePlansFile([{ source: 'Läden & “web”', content }])
    const read = readPlansFile(text)
    expect(read).toEqual({ plans: [{ source: 'Läden & “web”', content }] })
    if ('plans' in read) expect(writePlansFile(read.plans)).toBe(text)
    expect(text).not.toContain('required: false')
  })

  it('gives back any words that people write', () => {
    const words = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replaceAll('\0', '').trim())
    fc.assert(
      fc.property(
        words,
        words,
        fc.array(
          words.filter((one) => one !== ''),
          { minLength: 1, maxLength: 5 },
        ),
        (name, meaning, values) => {
          const one = PlanContent.parse({
            events: [
              {
                type: 'track',
                name: `x${name}`,
                description: meaning,
                properties: [{ name: 'a', type: 'string', values, meaning }],
              },
            ],
          })
          expect(readPlansFile(writePlansFile([{ source: 's', content: one }]))).toEqual({
            plans: [{ source: 's', content: one }],
          })
        },
      ),
    )
  })

  it('says what is wrong and in which line', () => {
    const text = `trackingPlans:
  - source: web
    mode: strict
    events:
      - type: track
        name: A
        properties:
          - name: total
            type: money
          - name: code
            type: string
            pattern: (a+)+
      - type: identify
        name: X
  - mode: observe
oops: 1
`
    const expected = [
      /^3: mode: /,
      /^9: events.0.properties.0.type: /,
      /^12: pattern: patterns are not taken/,
      /^14: events.1.name: a call of type identify has no name/,
      /^15: source: the name/,
      /^16: oops is not known here$/,
    ]
    const problems = problemsOf(text)
    expect(problems).toHaveLength(expected.length)
    for (const [at, one] of expected.entries()) expect(problems[at]).toMatch(one)
    expect(problemsOf('trackingPlans:\n  - source: "x\n')[0]).toMatch(/^\d: /)
    expect(problemsOf('trackingPlans: {}')).toEqual(['1: trackingPlans: a list of plans is expected here'])
    expect(problemsOf('trackingPlans:\n  - {source: a}\n  - {source: a}')).toEqual([
      '3: “a” has two plans in this file',
    ])
    expect(problemsOf('')).toHaveLength(1)
  })

  it('shows what would change, and nothing when nothing does', () => {
    expect(differencesOf(content, content)).toEqual([])
    const after = structuredClone(content)
    after.mode = 'observe'
    after.events[0]!.properties[0]!.type = 'integer'
    after.events[0]!.properties.pop()
    after.events[1]!.name = 'Start'
    expect(differencesOf(content, after).map((one) => `${one.sign} ${one.what}`)).toEqual([
      '~ mode: quarantine → observe',
      '~ Köp: “ñ” # no comment: total, type: number → integer',
      '- Köp: “ñ” # no comment: size',
      '- every page',
      '+ page Start (0 properties)',
    ])
    expect(differencesOf(undefined, content)[0]?.what).toBe('mode: none → quarantine')
  })
})
