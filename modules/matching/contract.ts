import { z } from 'zod'

/** What a compared column can be (lib/linkage/kinds). */
export const kindNames = [
  'givenName',
  'surname',
  'fullName',
  'dateOfBirth',
  'email',
  'phone',
  'postcode',
  'address',
  'number',
  'place',
  'category',
  'id',
  'company',
  'website',
  'text',
] as const

/** What may be said of a run beforehand; nothing has to be. */
export const ResolveConfig = z.strictObject({
  /** By name of a column. */
  columns: z.record(z.string(), z.enum([...kindNames, 'ignore'])).optional(),
  /** Bits that must speak for it, on average, before two groups of rows become one. */
  threshold: z.number().min(-4).max(40).optional(),
})
export type ResolveConfig = z.infer<typeof ResolveConfig>
