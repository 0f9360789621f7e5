export { createAccounts, type Accounts } from './service.ts'
export { createAuthorise } from './authorise.ts'
export { addAccountRoutes } from './routes.ts'
