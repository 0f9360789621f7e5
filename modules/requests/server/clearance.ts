const made = Symbol('made by the gate')

/** The agreement as a value. Only this module can make one, so whatever demands it cannot be reached without the gate. */
export interface Clearance {
  readonly [made]: true
  readonly requestId: string
  readonly executionId: string
  readonly releaseHash: string
  readonly kind: string
  readonly objectId: string
}

/** For the gate alone: not exported from the module's front door. */
export function clear(of: Omit<Clearance, typeof made>): Clearance {
  return Object.freeze({ ...of, [made]: true as const })
}
