export { createTrackingPlans } from './service.ts'
export { addTrackingPlanRoutes } from './routes.ts'
export { differencesOf, type Difference } from './differences.ts'
export { readPlansFile, writePlansFile, type PlanInFile } from './file.ts'
