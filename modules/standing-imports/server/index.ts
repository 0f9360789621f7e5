export { createStandingImports } from './service.ts'
export { addStandingImportRoutes } from './routes.ts'
