export { createFeeds, type Feeds } from './service.ts'
export { addFeedRoutes } from './routes.ts'
