export { createConsent, type Consent, type Unsubscribed } from './service.ts'
export { topicOf, type ConsentEvent } from './from-events.ts'
export { addConsentRoutes } from './routes.ts'
export { consentPages } from './public-pages.ts'
