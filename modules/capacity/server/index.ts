export { createCapacity, type Capacity } from './service.ts'
export { addCapacityRoutes } from './routes.ts'
