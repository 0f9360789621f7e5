import { Ajv, type AnySchemaObject, type ErrorObject, type ValidateFunction } from 'ajv'
import type { Json, TrackedEvent } from '../../collect/contract.ts'
import { keyOf, type Mode, type PlanContent, type PlannedEvent, type PlannedProperty, type Rule } from '../contract.ts'
import { isCurrency, isEmail, isTime, isUrl } from './kinds.ts'
import { pathsOf } from './paths.ts'

/** One thing that is wrong with an event. */
export interface Finding {
  rule: Rule
  /** The path; '' when it is the event itself. */
  property: string
  /** What stood there; undefined for what is missing. */
  value: Json | undefined
  /** What the plan says, for the sentence beside an event that is put aside. */
  because: string
  sensitivity: number | undefined
}

export interface CompiledPlan {
  content: PlanContent
  version: number
  /** What is wrong with an event, and the mode that says what to do about it. */
  judge(event: Pick<TrackedEvent, 'type' | 'name' | 'traits' | 'properties'>): { findings: Finding[]; mode: Mode }
}

/** More is not told of one event: who sends a thousand unplanned keys knows enough after fifty. */
const mostFindings = 50

/** Where an event has what a plan speaks of. */
export const carries = (type: string): 'traits' | 'properties' =>
  type === 'identify' || type === 'group' ? 'traits' : 'properties'

/**
 * A plan, ready to judge events: one JSON Schema per event over its paths, compiled once by Ajv in strict mode. The schema is flat (a path is a key), has
 * no `pattern` and no reference, so its work grows with the event and nothing else.
 */
export function compilePlan(content: PlanContent, version: number): CompiledPlan {
  const ajv = new Ajv({ strict: true, allErrors: true, ownProperties: true })
  for (const [name, validate] of Object.entries({ time: isTime, email: isEmail, currency: isCurrency, url: isUrl }))
    ajv.addFormat(name, { type: 'string', validate })
  const events = new Map(
    content.events.map((event) => [
      keyOf(event),
      compileEvent(ajv, event, content.unplannedProperties === 'violation'),
    ]),
  )
  return {
    content,
    version,
    judge(event) {
      // Of pages and screens '' stands for all that are not planned by name.
      const planned = events.get(keyOf(event)) ?? events.get(keyOf({ type: event.type, name: '' }))
      if (planned === undefined)
        return {
          findings:
            content.unplannedEvents === 'allowed'
              ? []
              : [
                  {
                    rule: 'unplanned_event',
                    property: '',
                    value: undefined,
                    because: 'the event is not in the plan',
                    sensitivity: undefined,
                  },
                ],
          mode: content.mode,
        }
      return { findings: planned.judge(event[carries(event.type)]), mode: planned.event.mode ?? content.mode }
    },
  }
}

function compileEvent(ajv: Ajv, event: PlannedEvent, closed: boolean) {
  const byPath = new Map(event.properties.map((property) => [property.name, property]))
  const above = new Set(
    event.properties.flatMap(({ name }) => {
      const parts = name.split('.')
      return parts.slice(1).map((_part, at) => parts.slice(0, at + 1).join('.'))
    }),
  )
  const validate = ajv.compile({
    type: 'object',
    properties: Object.fromEntries(event.properties.map((property) => [property.name, schemaOf(property)])),
    required: event.properties.filter((property) => property.required).map((property) => property.name),
    additionalProperties: !closed,
  })
  return {
    event,
    judge(properties: Record<string, Json>): Finding[] {
      const paths = pathsOf(
        properties,
        (path) => byPath.get(path)?.type,
        (path) => above.has(path),
      )
      const findings = event.status === 'deprecated' ? [deprecated] : []
      return [...findings, ...errorsOf(validate, Object.fromEntries(paths))].slice(0, mostFindings).map((one) => ({
        ...one,
        sensitivity: byPath.get(one.property)?.sensitivity,
      }))
    },
  }
}

const deprecated: Finding = {
  rule: 'deprecated_event',
  property: '',
  value: undefined,
  because: 'the event is deprecated',
  sensitivity: undefined,
}

function schemaOf(property: PlannedProperty): AnySchemaObject {
  const { type, min, max, values } = property
  const bounds = (least: string, most: string) => ({
    ...(min === undefined ? {} : { [least]: min }),
    ...(max === undefined ? {} : { [most]: max }),
  })
  switch (type) {
    case 'string':
      return { type, ...bounds('minLength', 'maxLength'), ...(values === undefined ? {} : { enum: values }) }
    case 'integer':
    case 'number':
      return { type, ...bounds('minimum', 'maximum') }
    case 'array':
      return { type, ...bounds('minItems', 'maxItems') }
    case 'boolean':
    case 'object':
      return { type }
    case 'time':
    case 'email':
    case 'currency':
    case 'url':
      return { type: 'string', format: type }
  }
}

function errorsOf(validate: ValidateFunction, paths: Record<string, Json>): Finding[] {
  if (validate(paths)) return []
  return (validate.errors ?? []).slice(0, mostFindings).map((error) => findingOf(error, paths))
}

const ruleOf: Readonly<Record<string, Rule>> = {
  required: 'missing_property',
  additionalProperties: 'unplanned_property',
  type: 'wrong_type',
  format: 'wrong_type',
  enum: 'not_in_values',
}

function findingOf(error: ErrorObject, paths: Record<string, Json>): Finding {
  const params = error.params as { missingProperty?: string; additionalProperty?: string }
  const property =
    params.missingProperty ??
    params.additionalProperty ??
    error.instancePath.slice(1).replaceAll('~1', '/').replaceAll('~0', '~')
  const rule = ruleOf[error.keyword] ?? 'out_of_range'
  const says: Record<Rule, string> = {
    unplanned_event: '',
    deprecated_event: '',
    missing_property: `${property} is missing`,
    unplanned_property: `${property} is not in the plan`,
    wrong_type: `${property} ${error.message ?? 'is of another type'}`,
    not_in_values: `${property} is none of the planned values`,
    out_of_range: `${property} ${error.message ?? 'is out of range'}`,
  }
  return {
    rule,
    property,
    value: Object.hasOwn(paths, property) ? paths[property] : undefined,
    because: says[rule],
    sensitivity: undefined,
  }
}

/** What is done about the findings of one event. Deprecated events are only written down. */
export function deedOf(findings: readonly Finding[], mode: Mode): 'nothing' | 'note' | 'omit' | 'quarantine' | 'block' {
  if (findings.length === 0) return 'nothing'
  if (mode === 'observe' || findings.every((one) => one.rule === 'deprecated_event')) return 'note'
  if (mode !== 'omit') return mode
  return leftOut(findings).size > 0 ? 'omit' : 'note'
}

/** The paths that `omit` leaves out: what is not planned and what is not valid. Nothing can be left out of what is missing. */
export const leftOut = (findings: readonly Finding[]): Set<string> =>
  new Set(findings.flatMap((one) => (one.property === '' || one.rule === 'missing_property' ? [] : [one.property])))
