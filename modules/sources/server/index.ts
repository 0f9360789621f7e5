export { createSources, type Sources } from './service.ts'
export { addSourceRoutes } from './routes.ts'
export type { Source } from '../contract.ts'
