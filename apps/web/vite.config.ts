import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// Whoever builds (a test too) gets the pages that people get.
process.env['NODE_ENV'] = 'production'

/** Built by `apps/server/pages.ts` when its inputs changed. The nonce is put in by the server, for each answer anew. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  html: { cspNonce: 'INTERLOCK_NONCE' },
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2023', assetsInlineLimit: 0, chunkSizeWarningLimit: 900 },
})
