export { actorOf, createAudit, type Audit, type NewEntry } from './service.ts'
export { addAuditRoutes } from './routes.ts'
