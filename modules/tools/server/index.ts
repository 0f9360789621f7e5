export { createTools, type Tools } from './service.ts'
export { addToolRoutes } from './routes.ts'
