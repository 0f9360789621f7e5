export { createContent, type Content, type TemplateVersion } from './service.ts'
export { renderer, RenderFailure, type Message } from './render.ts'
export { addContentRoutes } from './routes.ts'
