export { createSegments, type Segments, type SegmentVersion } from './service.ts'
export { addSegmentRoutes } from './routes.ts'
