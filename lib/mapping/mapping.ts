import { z } from 'zod'

/**
 * How the JSON of another system becomes tracking calls, as data: paths over a closed list of operators. Nothing that a person writes is evaluated; a
 * mapping always ends, because it can only walk what it was given.
 */

/** Of whatever a path leads to. What is not there is nothing, and a field of which nothing is known is left out. */
export type Expression =
  /** `customer.email`, `lines[0].sku`, `body["Your name"]`; from the element of `each` when it begins with `item.`, from the whole body with `body.`, a header with `header.`, or `topic`. */
  | { path: string }
  | { value: string | number | boolean | null }
  /** The first of which something is known. */
  | { first: Expression[] }
  /** All, one after the other; nothing when one of them is missing. */
  | { join: Expression[]; with?: string | undefined }
  /** A number, also from decimal text such as "199.00"; nothing when it is none, or has more digits than a number holds. */
  | { number: Expression }
  | { sum: Expression[] }
  /** Without its sign. */
  | { absolute: Expression }
  /** The sum over the elements of a list that pass `when`. */
  | { sumOf: string; of: Expression; when?: Condition[] | undefined }
  /** An instant: ISO 8601 or seconds since 1970. Without a zone it is taken as UTC, as `_gmt` fields are. */
  | { time: Expression }
  | { text: Expression }
  | { lower: Expression }
  /** What a word stands for. */
  | { choose: Expression; from: Record<string, string | number | boolean>; otherwise?: Expression | undefined }
  /** A list of objects, one for each element of a list (`item.`). */
  | { list: string; each: Record<string, Expression> }
  /** A list of one value of each element. */
  | { pluck: string; of: Expression }

/** Holds when what the expression says is one of these words (compared as text), or whether anything is said at all. */
export interface Condition {
  that: Expression
  is?: (string | number | boolean)[] | undefined
  isNot?: (string | number | boolean)[] | undefined
  exists?: boolean | undefined
}

const mostParts = 50
/** `["Your name"]`: a name with a space, a dot or whatever else, as text of JSON. */
const quoted = String.raw`\["(?:[^"\\\p{Cc}]|\\["\\])+"\]`
const inside = String.raw`(?:\[\d{1,4}\]|${quoted})*`
const Path = z
  .string()
  .max(200)
  .regex(
    new RegExp(String.raw`^[\p{L}_$][\p{L}\p{N}_$-]*${inside}(?:\.[\p{L}\p{N}_$-]+${inside})*$`, 'u'),
    'a path such as customer.email, lines[0].sku or body["Your name"]',
  )

/** The steps of a path, first to last; an index of a list is a step too. */
export const stepsOf = (path: string): string[] =>
  Array.from(path.matchAll(/\["((?:[^"\\]|\\.)+)"\]|[^.[\]]+/gu), ([step, name]) =>
    name === undefined ? step : name.replaceAll(/\\(.)/gu, '$1'),
  )

/** One more step of a path, as `stepsOf` reads it. @param before what it goes on from; never empty when the name is no plain word */
export const pathWith = (before: string, name: string): string =>
  /^[\p{L}\p{N}_$-]+$/u.test(name)
    ? before === ''
      ? name
      : `${before}.${name}`
    : `${before}["${name.replaceAll(/["\\]/gu, String.raw`\$&`)}"]`
const Scalar = z.union([z.string().max(500), z.number(), z.boolean()])
const Word = z.string().min(1).max(80)

export const Expression: z.ZodType<Expression> = z.lazy(() =>
  z.union([
    z.strictObject({ path: Path }),
    z.strictObject({ value: z.union([Scalar, z.null()]) }),
    z.strictObject({ first: z.array(Expression).min(1).max(mostParts) }),
    z.strictObject({ join: z.array(Expression).min(1).max(mostParts), with: z.string().max(20).optional() }),
    z.strictObject({ number: Expression }),
    z.strictObject({ sum: z.array(Expression).min(1).max(mostParts) }),
    z.strictObject({ absolute: Expression }),
    z.strictObject({ sumOf: Path, of: Expression, when: z.array(Condition).max(10).optional() }),
    z.strictObject({ time: Expression }),
    z.strictObject({ text: Expression }),
    z.strictObject({ lower: Expression }),
    z.strictObject({ choose: Expression, from: z.record(Word, Scalar), otherwise: Expression.optional() }),
    z.strictObject({ list: Path, each: z.record(Word, Expression) }),
    z.strictObject({ pluck: Path, of: Expression }),
  ]),
)
export const Condition: z.ZodType<Condition> = z.lazy(() =>
  z.strictObject({
    that: Expression,
    is: z.array(Scalar).max(mostParts).optional(),
    isNot: z.array(Scalar).max(mostParts).optional(),
    exists: z.boolean().optional(),
  }),
)

/** Where a field of a call stands: `userId`, `properties.revenue`, `context.externalIds`. */
const Target = z
  .string()
  .max(200)
  .regex(
    /^(event|userId|anonymousId|groupId|previousId|messageId|timestamp|name|(properties|traits|context)(\.[A-Za-z_][\w-]*)+)$/,
    'a field of a tracking call, such as userId or properties.revenue',
  )

/** One call, made of every body whose topic is named and for which the conditions hold; of each element when `each` names a list. */
export const Rule = z.strictObject({
  /** Topics; none means every one. */
  topics: z.array(z.string().min(1).max(120)).max(mostParts),
  when: z.array(Condition).max(10),
  each: Path.optional(),
  /** `asItIs`: it is a tracking call already. `nothing`: it is known and says nothing about people. */
  type: z.enum(['identify', 'track', 'page', 'screen', 'group', 'alias', 'asItIs', 'nothing']),
  /** Stable: the same thing said again must have the same id, so that it is stored once. */
  id: Expression.optional(),
  fields: z.record(Target, Expression).refine((fields) => Object.keys(fields).length <= 200, 'at most 200 fields'),
  /** Identifiers beside userId, by type; those that are nothing are left out. */
  identifiers: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'small letters, digits and _'), Expression),
})
export type Rule = z.infer<typeof Rule>

export const Mapping = z
  .strictObject({
    /** What says what a body is about. */
    topic: Expression.optional(),
    rules: z.array(Rule).min(1, 'at least one rule').max(100),
  })
  .refine((mapping) => JSON.stringify(mapping).length <= 100_000, 'at most 100 KB')
export type Mapping = z.infer<typeof Mapping>
