export { createJourneys, type Journeys } from './service.ts'
export { addJourneyRoutes } from './routes.ts'
