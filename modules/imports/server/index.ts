export { createImports, type HandedInBy, type Imports } from './service.ts'
export { addImportRoutes } from './routes.ts'
export { guessMeanings } from './meanings.ts'
export { sayRow } from './rows.ts'
