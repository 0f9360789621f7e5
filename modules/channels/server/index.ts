export { createChannels, type Channels } from './service.ts'
export { addChannelRoutes } from './routes.ts'
