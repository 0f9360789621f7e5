export { createIdentity, type Identity, type Named } from './service.ts'
export { createDeciding } from './deciding.ts'
export { addIdentityRoutes } from './routes.ts'
export { maybeOf, resolvedJoin, resolvedProfile } from './sql.ts'
