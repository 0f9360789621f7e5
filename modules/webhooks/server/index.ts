export { createWebhooks, type Webhooks } from './service.ts'
export { webhookEndpoint } from './endpoint.ts'
export { addWebhookRoutes } from './routes.ts'
export { presetMapping } from './presets/index.ts'
