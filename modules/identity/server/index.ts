export { createIdentity, type Identity } from './service.ts'
export { createDeciding } from './deciding.ts'
export { addIdentityRoutes } from './routes.ts'
export { maybeOf, resolvedJoin, resolvedProfile } from './sql.ts'
