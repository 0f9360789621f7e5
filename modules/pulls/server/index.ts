export { createPulls, type Pulls } from './service.ts'
export { addPullRoutes } from './routes.ts'
export { createJudge, type Known, type Said } from './rows.ts'
