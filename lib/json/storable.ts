/** Text that every store takes: without NUL, and of surrogate pairs whole ones only (`slice` may leave half of one). */
export const storableText = (text: string): string => text.replaceAll('\0', '').toWellFormed()

/** JSON that PostgreSQL takes as jsonb, whatever text of others is in its values. Names of fields are ours. */
export const storableJson = (value: unknown): string =>
  JSON.stringify(value, (_name, one: unknown) => (typeof one === 'string' ? storableText(one) : one))
