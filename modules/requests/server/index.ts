export { createRequests, type Requests } from './service.ts'
export { addRequestRoutes } from './routes.ts'
export type { Clearance } from './clearance.ts'
export type { ChangeKind } from './kind.ts'
