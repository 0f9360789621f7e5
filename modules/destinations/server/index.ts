export { createDestinations } from './service.ts'
export { addDestinationRoutes } from './routes.ts'
export type { Patience } from './backoff.ts'
