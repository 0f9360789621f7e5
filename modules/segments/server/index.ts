export { createSegments, type Segments } from './service.ts'
export { addSegmentRoutes } from './routes.ts'
