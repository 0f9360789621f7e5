export { createInsights, type Insights } from './service.ts'
export { addInsightRoutes } from './routes.ts'
