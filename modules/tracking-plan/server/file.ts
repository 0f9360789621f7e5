import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, stringify, type Document, type Node } from 'yaml'
import { PlanContent, type PlannedEvent, type PlannedProperty } from '../contract.ts'

/** Tracking plans as people keep them in a repository: one file, sources by their name. */
export interface PlanInFile {
  source: string
  content: PlanContent
}
/** What is wrong with a file, and where. */
export interface FileProblem {
  line: number
  says: string
}

const head =
  '# Tracking plans of Interlock. See the difference with `interlock config plan FILE`, make it so with `interlock config apply FILE`.\n'

/** The file of these plans. What is as it is by default is left out, so that `readPlansFile` gives the same plans again. */
export function writePlansFile(plans: readonly PlanInFile[]): string {
  const value = {
    trackingPlans: plans.map(({ source, content }) => ({
      source,
      mode: content.mode,
      unplannedEvents: content.unplannedEvents,
      unplannedProperties: content.unplannedProperties,
      ...(content.ownerMarketing === null ? {} : { ownerMarketing: content.ownerMarketing }),
      ...(content.ownerIt === null ? {} : { ownerIt: content.ownerIt }),
      events: content.events.map(eventOf),
    })),
  }
  return head + stringify(value, { lineWidth: 120, aliasDuplicateObjects: false })
}

function eventOf(event: PlannedEvent) {
  return {
    type: event.type,
    ...(event.name === '' ? {} : { name: event.name }),
    ...(event.status === 'planned' ? {} : { status: event.status }),
    ...(event.description === '' ? {} : { description: event.description }),
    ...(event.mode === undefined ? {} : { mode: event.mode }),
    ...(event.properties.length === 0 ? {} : { properties: event.properties.map(propertyOf) }),
  }
}

function propertyOf(property: PlannedProperty) {
  const { name, type, required, values, min, max, meaning, sensitivity, purpose } = property
  return {
    name,
    type,
    ...(required ? { required } : {}),
    ...(values === undefined ? {} : { values }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(meaning === '' ? {} : { meaning }),
    ...(sensitivity === 1 ? {} : { sensitivity }),
    ...(purpose === '' ? {} : { purpose }),
  }
}

/** Reads a file; or everything that is wrong with it, each with its line. */
export function readPlansFile(text: string): { plans: PlanInFile[] } | { problems: FileProblem[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0)
    return {
      problems: document.errors.map((error) => ({ line: lines.linePos(error.pos[0]).line, says: error.message })),
    }
  const problems: FileProblem[] = []
  const wrong = (path: readonly PropertyKey[], says: string, key?: string) => {
    problems.push({ line: lineOf(document, lines, path, key), says })
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    return { problems: [{ line: 1, says: error instanceof Error ? error.message : String(error) }] }
  }
  if (!isObject(value) || !Array.isArray(value['trackingPlans'])) {
    return { problems: [{ line: 1, says: 'trackingPlans: a list of plans is expected here' }] }
  }
  for (const key of Object.keys(value)) if (key !== 'trackingPlans') wrong([], `${key} is not known here`, key)
  const plans: PlanInFile[] = []
  for (const [at, one] of (value['trackingPlans'] as unknown[]).entries()) {
    const path = ['trackingPlans', at]
    if (!isObject(one)) {
      wrong(path, 'a plan is expected here')
      continue
    }
    const { source, ...rest } = one
    if (typeof source !== 'string' || source.trim() === '') wrong(path, 'source: the name of the source is missing')
    else if (plans.some((plan) => plan.source === source))
      wrong([...path, 'source'], `“${source}” has two plans in this file`)
    const parsed = PlanContent.safeParse(rest)
    if (parsed.success && typeof source === 'string') plans.push({ source, content: parsed.data })
    if (parsed.success) continue
    for (const issue of parsed.error.issues) {
      const where = issue.path.map(String).join('.')
      if (issue.code !== 'unrecognized_keys') {
        wrong([...path, ...issue.path], `${where}: ${issue.message}`)
        continue
      }
      for (const key of issue.keys)
        wrong(
          [...path, ...issue.path],
          key === 'pattern'
            ? 'pattern: patterns are not taken, because a regular expression could hold up every event behind it; use a type, values, min or max'
            : `${key} is not known here`,
          key,
        )
    }
  }
  return problems.length > 0 ? { problems: problems.sort((a, b) => a.line - b.line) } : { plans }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The line of the deepest part of a path that the file has; of a key in it, when one is named. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[], key?: string): number {
  let node: unknown = document.contents
  for (let length = path.length; length >= 0; length--) {
    const found: unknown =
      length === 0
        ? document.contents
        : document.getIn(
            path.slice(0, length).map((one) => (typeof one === 'number' ? one : String(one))),
            true,
          )
    if (found === undefined) continue
    node = found
    if (length < path.length || key === undefined || !isMap(found)) break
    const pair = found.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
    if (pair !== undefined && isNode(pair.key)) node = pair.key
    break
  }
  const range = isNode(node) ? (node as Node).range : undefined
  return lines.linePos(range?.[0] ?? 0).line
}
