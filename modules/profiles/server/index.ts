export { createProfiles, type Profiles } from './service.ts'
export { addProfileRoutes } from './routes.ts'
