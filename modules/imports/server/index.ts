export { createImports, type Imports } from './service.ts'
export { addImportRoutes } from './routes.ts'
