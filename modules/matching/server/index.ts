export { resolveTables, type Resolved, type ResolveTable } from './resolve.ts'
export { explainPair, type Explained } from './explain.ts'
export { resolveReport } from './report.ts'
