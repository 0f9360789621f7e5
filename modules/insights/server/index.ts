export { createInsights } from './service.ts'
export { addInsightRoutes } from './routes.ts'
