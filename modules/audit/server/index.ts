export { actorOf, createAudit, type Audit } from './service.ts'
export { addAuditRoutes } from './routes.ts'
