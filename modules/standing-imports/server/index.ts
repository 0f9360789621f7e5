export { createStandingImports, type StandingImports } from './service.ts'
export { addStandingImportRoutes } from './routes.ts'
