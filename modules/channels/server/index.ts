export { createChannels, type Channels, type SenderToUse } from './service.ts'
export { addChannelRoutes } from './routes.ts'
