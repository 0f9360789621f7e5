export { createPulls, type Pulls } from './service.ts'
export { addPullRoutes } from './routes.ts'
