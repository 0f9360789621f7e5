export { createIdentity, type Identity } from './service.ts'
export { addIdentityRoutes } from './routes.ts'
export { resolvedJoin, resolvedProfile } from './sql.ts'
