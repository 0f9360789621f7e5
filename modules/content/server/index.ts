export { createContent, type Content } from './service.ts'
export { renderer, RenderFailure, type Message } from './render.ts'
export { addContentRoutes } from './routes.ts'
