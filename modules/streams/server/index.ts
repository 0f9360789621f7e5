export { createStreams, type Streams } from './service.ts'
export { addStreamRoutes } from './routes.ts'
