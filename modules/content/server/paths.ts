import { toValueSync, TypeGuards, Value, type Template as Node } from 'liquidjs'
import type { Parsed } from './liquid.ts'

/** A variable as it is named, like `person`, `address`, `city`; a part that is worked out only with the values is undefined. */
type Path = (string | undefined)[]

const { isFilteredValueToken, isNumberToken, isPropertyAccessToken, isQuotedToken, isRangeToken, isWordToken } =
  TypeGuards

/**
 * Every variable that is named anywhere in a template, in whatever place. The engine's own analysis says the same but counts lines for each
 * variable: 16 s for 36,000 variables in 250 kB, where this takes 0.1 s.
 */
export function pathsOf(parsed: Parsed): Path[] {
  const paths = new Map<string, Path>()
  const see = (path: Path) => paths.set(JSON.stringify(path), path)
  for (const node of everyNode(parsed)) for (const argument of node.arguments?.() ?? []) ofValue(argument, see)
  return [...paths.values()]
}

/** Every node, whatever it stands in. */
export function* everyNode(nodes: Parsed): Generator<Node> {
  for (const node of nodes) {
    yield node
    if (node.children !== undefined) yield* everyNode([...toValueSync(node.children(false, true))])
  }
}

function ofValue(value: unknown, see: (path: Path) => void): void {
  if (value instanceof Value || isFilteredValueToken(value)) {
    for (const token of value.initial.postfix) ofValue(token, see)
    for (const filter of value.filters)
      for (const argument of filter.args) ofValue(Array.isArray(argument) ? argument[1] : argument, see)
  } else if (isRangeToken(value)) {
    ofValue(value.lhs, see)
    ofValue(value.rhs, see)
  } else if (isPropertyAccessToken(value)) {
    // What stands in brackets, and what a path begins with when that is no name, is a value itself.
    for (const part of value.props) ofValue(part, see)
    ofValue(value.variable, see)
    const path = value.props.map((part) =>
      isQuotedToken(part) || isNumberToken(part) || isWordToken(part) ? String(part.content) : undefined,
    )
    see(value.variable === undefined ? path : [undefined, ...path])
  }
}
