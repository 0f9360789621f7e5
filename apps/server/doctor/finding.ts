/** One line of `interlock doctor`. */
export interface Finding {
  name: string
  ok: boolean
  says: string
  /** What mends it. */
  mend?: string
}

/** A look that may fail: what it throws is the finding. */
export async function finding(name: string, look: () => Promise<string> | string, mend: string): Promise<Finding> {
  try {
    return { name, ok: true, says: await look() }
  } catch (error) {
    return { name, ok: false, says: error instanceof Error ? error.message : String(error), mend }
  }
}
