export { HowWeKnow } from './HowWeKnow.tsx'
